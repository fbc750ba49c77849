//! What an `Accept` header says about a media type (RFC 9110, 12.5.1).

/// How exactly a media range names a media type: `*/*`, `type/*`, `type/subtype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exactness {
    All,
    Type,
    Subtype,
}

/// Whether a header lets this media type be sent.
pub(crate) fn accepts(header: &str, media: &str) -> bool {
    weight(header, media) > 0
}

/// How much a header asks for this media type, in thousandths. The most exact range that covers the type decides;
/// parameters but `q` are not looked at, what is malformed is skipped, and a header without ranges asks for everything.
pub(crate) fn weight(header: &str, media: &str) -> u32 {
    let members: Vec<&str> =
        split(header, ',').into_iter().map(str::trim).filter(|member| !member.is_empty()).collect();
    let Some(media) = range(media) else { return 0 };
    // Ranges that differ in parameters only say the same here; the one with the greater weight counts.
    let covering = members.iter().filter_map(|member| covers(member, media));
    covering.max().map_or(if members.is_empty() { 1000 } else { 0 }, |(_, weight)| weight)
}

/// Whether this is the name of a media type, without wildcards.
pub(crate) fn is_media(text: &str) -> bool {
    range(text).is_some_and(|(kind, subtype)| kind != "*" && subtype != "*")
}

/// How exactly a member of the header covers a media type, and its weight in thousandths.
fn covers(member: &str, (kind, subtype): (&str, &str)) -> Option<(Exactness, u32)> {
    let mut parts = split(member, ';').into_iter();
    let exactness = match range(parts.next()?)? {
        ("*", "*") => Exactness::All,
        ("*", _) => return None,
        (own, "*") if own.eq_ignore_ascii_case(kind) => Exactness::Type,
        (own, other) if own.eq_ignore_ascii_case(kind) && other.eq_ignore_ascii_case(subtype) => Exactness::Subtype,
        _ => return None,
    };
    let mut weight = 1000;
    for parameter in parts.map(str::trim).filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        if !is_token(name) || value.is_empty() {
            return None;
        }
        if name.eq_ignore_ascii_case("q") {
            weight = thousandths(value)?;
        }
    }
    Some((exactness, weight))
}

/// Type and subtype, without parameters.
fn range(text: &str) -> Option<(&str, &str)> {
    let (kind, subtype) = text.split(';').next()?.trim().split_once('/')?;
    (is_token(kind) && is_token(subtype)).then_some((kind, subtype))
}

pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// `0.5` as 500; at most three digits behind the point.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u32 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

/// The parts between separators that do not stand in a quoted text.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let apart = |character: char| {
        let cut = !quoted && character == separator;
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        cut
    };
    text.split(apart).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_range_decides() {
        let cases = [
            // Header, what may be sent, what may not.
            ("", "a/b text/html", ""),
            (" , ,", "a/b", ""),
            ("*/*", "a/b text/html", ""),
            ("application/json", "application/json APPLICATION/JSON", "application/jsonp text/json text/html"),
            ("Application/JSON", "application/json", ""),
            ("text/*", "text/html TEXT/plain", "application/json"),
            ("text/html, application/json", "application/json text/html", "text/plain"),
            ("text/html;level=1, */*;q=0.1", "text/html a/b", ""),
            // The example of the RFC; zero instead of its lowest weight.
            ("text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, */*;q=0", "text/html text/plain", "image/png"),
            ("*/*, application/json;q=0", "text/html", "application/json"),
            ("application/json;q=0, application/*", "application/xml", "application/json"),
            ("application/*;q=0, application/json;q=0.001", "application/json", "application/xml text/html"),
            ("application/*;q=0.000, */*", "text/html", "application/json"),
            ("application/json;q=0, application/json;v=2", "application/json", ""),
            ("application/json ; charset=utf-8 ; Q=0", "", "application/json"),
            ("application/json;q=1.000, text/html;q=1.", "application/json text/html", ""),
            // Malformed: skipped, and not a reason to send what nothing else allows.
            ("json", "", "application/json"),
            ("*", "", "application/json"),
            ("*/json, text/html", "text/html", "application/json"),
            ("application/json;q=2, text/html", "text/html", "application/json"),
            ("application/json;q=x, */*;q=0.5", "application/json", ""),
            ("application/json;q=0.0001, text/html", "text/html", "application/json"),
            ("application/json;q, text/html", "text/html", "application/json"),
            ("application/json/x, a b/c, text/html", "text/html", "application/json a/c"),
            // Separators in a quoted text separate nothing.
            ("text/html;x=\"a,application/json;q=0,\\\"b\", application/*", "text/html application/json", "text/plain"),
        ];
        for (header, sent, refused) in cases {
            for media in sent.split_whitespace() {
                assert!(accepts(header, media), "{header:?} lets {media} be sent");
            }
            for media in refused.split_whitespace() {
                assert!(!accepts(header, media), "{header:?} does not let {media} be sent");
            }
        }
        assert!(accepts("application/json", "application/json; charset=utf-8"));
    }

    #[test]
    fn a_media_type_has_two_parts() {
        assert!(["a/b", "application/problem+json", "text/html; charset=utf-8"].into_iter().all(is_media));
        assert!(["json", "*/*", "text/*", "a/b/c", "", "/b", "a/"].into_iter().all(|text| !is_media(text)));
    }
}
