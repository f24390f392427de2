const links = new Map<string, string>([
  ["docs", "https://docs.example.org/start"],
  ["status", "https://status.example.org/"],
]);

export function target(name: string): string | undefined {
  return links.get(name);
}

export function all(): { name: string; target: string }[] {
  return [...links].map(([name, target]) => ({ name, target }));
}
