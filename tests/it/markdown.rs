//! Just enough of Markdown to read our own pages.

/// A fenced block: the word behind the fence, what follows the word, the text, and the line of the fence.
#[derive(Debug, Clone)]
pub struct Block {
    pub language: String,
    pub info: String,
    pub text: String,
    pub line: usize,
}

/// The fenced blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (open.as_mut(), line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => {
                let (language, info) = info.split_once(' ').unwrap_or((info, ""));
                let (language, info) = (language.to_owned(), info.trim().to_owned());
                open = Some(Block { language, info, text: String::new(), line: index + 1 });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

/// The page without fenced blocks: lines stay where they are.
pub fn prose(page: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        if !inside && !fence {
            out.push_str(line);
        }
        inside ^= fence;
        out.push('\n');
    }
    out
}

/// The anchors of a page's headings, as GitHub makes them.
pub fn anchors(page: &str) -> Vec<String> {
    let headings = prose(page);
    let headings =
        headings.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            heading
                .to_lowercase()
                .chars()
                .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'))
                .map(|character| if character == ' ' { '-' } else { character })
                .collect()
        })
        .collect()
}

/// Every link to a file or heading of the project, with its line. Code is no link.
pub fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in prose(page).lines().enumerate() {
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
        for part in plain.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            if !target.contains("://") && !target.starts_with("mailto:") {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

/// Whether an output is as shown: white space does not count, and `…` stands for anything.
pub fn matches(shown: &str, actual: &str) -> bool {
    let tight = |text: &str| text.split_whitespace().collect::<String>();
    let (shown, actual) = (tight(shown), tight(actual));
    let parts: Vec<&str> = shown.split('…').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return shown == actual;
    }
    let Some(mut rest) = actual.strip_prefix(first) else { return false };
    for part in &parts[1..parts.len() - 1] {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn outputs_are_compared_but_for_space_and_gaps() {
    assert!(matches("{\"a\": 1}", "{\"a\":1}\n"));
    assert!(matches("{ \"a\": …, \"z\": 1 }", "{\"a\":[1,2],\"z\":1}"));
    assert!(!matches("{\"a\": …}", "{\"b\":1}"));
    assert!(!matches("a…bc", "abcd"));
    assert!(!matches("a", "ab"));
}
