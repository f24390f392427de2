package cmd

import (
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/spf13/cobra"
)

func words() ([]string, error) {
	path := os.Getenv("WORDS_FILE")
	if path == "" {
		path = "share/words.txt"
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(b)), nil
}

func Root() *cobra.Command {
	root := &cobra.Command{Use: "wordtool", Short: "looks at lists of words", SilenceUsage: true}
	var by string
	count := &cobra.Command{
		Use: "count",
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := words()
			if err != nil {
				return err
			}
			n := map[string]int{}
			for _, w := range list {
				k := strings.ToLower(w[:1])
				if by == "length" {
					k = fmt.Sprintf("%02d", len(w))
				}
				n[k]++
			}
			keys := make([]string, 0, len(n))
			for k := range n {
				keys = append(keys, k)
			}
			sort.Strings(keys)
			for _, k := range keys {
				fmt.Println(k, n[k])
			}
			return nil
		},
	}
	count.Flags().StringVar(&by, "by", "letter", "letter or length")
	root.AddCommand(count)
	return root
}
