/// The same quote for the same path.
pub fn pick<'a>(quotes: &[&'a str], path: &str) -> &'a str {
    let n: usize = path.bytes().map(usize::from).sum();
    quotes[n % quotes.len()]
}
