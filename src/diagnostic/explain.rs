/// What explains every code.
const PAGE: &str = include_str!("../../docs/diagnostics.md");

/// Every code with the text about it, as the page has it.
pub(crate) fn explanations() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.split("\n### `").skip(1).filter_map(|part| {
        let (code, text) = part.split_once("`\n")?;
        Some((code, text.split("\n## ").next()?.trim()))
    })
}
