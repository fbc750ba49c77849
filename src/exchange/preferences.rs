//! What a client would rather have: the `Prefer` header (RFC 7240), and Prism's names for it in a query.

use super::accepts::{is_token, split};

/// The preferences that there are here. Others are nobody's business and are not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) code: Option<String>,
    pub(crate) example: Option<String>,
    pub(crate) dynamic: Option<String>,
    pub(crate) handling: Option<String>,
}

/// What stands before a preference's name in a query. How to handle a request is not said there.
const TWIN: &str = "__";

impl Preferences {
    /// Reads the lines of a header. Of several preferences of one name the first counts; what stands behind `;` belongs to
    /// a preference and changes none of these.
    pub(crate) fn of_header<'l>(lines: impl IntoIterator<Item = &'l str>) -> Self {
        let mut preferences = Preferences::default();
        for preference in lines.into_iter().flat_map(|line| split(line, ',')) {
            let said = split(preference, ';').first().copied().unwrap_or_default();
            let (name, value) = said.split_once('=').unwrap_or((said, ""));
            if let Some(place) = preferences.place(&name.trim().to_ascii_lowercase()) {
                place.get_or_insert_with(|| word(value.trim()));
            }
        }
        preferences
    }

    /// Takes preferences out of a query, and gives what is left of it, unless the API `has` a parameter of that name.
    pub(crate) fn of_query(query: &str, has: impl Fn(&str) -> bool) -> (Self, Option<String>) {
        let mut preferences = Preferences::default();
        let mut rest = Vec::new();
        for pair in query.split('&') {
            let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).next() else {
                rest.push(pair);
                continue;
            };
            let twin = name.strip_prefix(TWIN).filter(|twin| *twin != "handling" && !has(&name));
            match twin.and_then(|twin| preferences.place(twin)) {
                Some(place) => {
                    place.get_or_insert_with(|| value.into_owned());
                }
                None => rest.push(pair),
            }
        }
        (preferences, Some(rest.join("&")).filter(|rest| !rest.is_empty()))
    }

    /// Adds what others say. The error is the name of one about which they disagree, with what each of them says.
    pub(crate) fn and(mut self, other: Self) -> Result<Self, (&'static str, String, String)> {
        for (name, other) in [("code", other.code), ("example", other.example), ("dynamic", other.dynamic)] {
            let Some((place, other)) = self.place(name).zip(other) else { continue };
            match place {
                Some(own) if *own != other => return Err((name, own.clone(), other)),
                _ => *place = Some(other),
            }
        }
        Ok(self)
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "code" => Some(&mut self.code),
            "example" => Some(&mut self.example),
            "dynamic" => Some(&mut self.dynamic),
            "handling" => Some(&mut self.handling),
            _ => None,
        }
    }
}

/// A preference as it is written in a header.
pub(crate) fn preference(name: &str, value: &str) -> String {
    match is_token(value) {
        true => format!("{name}={value}"),
        false => format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// A token, or what stands in quotes.
fn word(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('"') else { return text.to_owned() };
    let mut word = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => word.extend(characters.next()),
            other => word.push(other),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str, example: &str, dynamic: &str, handling: &str) -> Preferences {
        let [code, example, dynamic, handling] =
            [code, example, dynamic, handling].map(|text| (text != "-").then(|| text.to_owned()));
        Preferences { code, example, dynamic, handling }
    }

    #[test]
    fn headers_are_read_as_the_rfc_writes_them() {
        for (lines, wanted) in [
            (&[][..], said("-", "-", "-", "-")),
            (&["code=404"], said("404", "-", "-", "-")),
            (&["code=404, example=gone"], said("404", "gone", "-", "-")),
            (&["code=404", "example=gone"], said("404", "gone", "-", "-")),
            (&[" Code = 404 ;x=y, , Handling=strict"], said("404", "-", "-", "strict")),
            (&["example=\"a, b; \\\"c\\\"\"; foo"], said("-", "a, b; \"c\"", "-", "-")),
            (&["code=404, code=401", "code=500"], said("404", "-", "-", "-")),
            (&["respond-async, wait=100, return=minimal"], said("-", "-", "-", "-")),
            (&["code"], said("", "-", "-", "-")),
            (&["example=\"open"], said("-", "open", "-", "-")),
            (&["foo; code=404, dynamic=false"], said("-", "-", "false", "-")),
            (&["foo=\"code=404, x\", handling=lenient"], said("-", "-", "-", "lenient")),
        ] {
            assert_eq!(Preferences::of_header(lines.iter().copied()), wanted, "{lines:?}");
        }
    }

    #[test]
    fn twins_are_taken_out_of_a_query_and_the_rest_stays_as_it_is() {
        for (query, wanted, rest) in [
            ("", said("-", "-", "-", "-"), None),
            ("a=1&b=%20", said("-", "-", "-", "-"), Some("a=1&b=%20")),
            ("__code=404", said("404", "-", "-", "-"), None),
            ("a=1&__code=404&b=2", said("404", "-", "-", "-"), Some("a=1&b=2")),
            ("%5F_example=a%20b+c&&x", said("-", "a b c", "-", "-"), Some("&x")),
            ("__code=1&__code=2", said("1", "-", "-", "-"), None),
            ("__handling=strict&__other=1&__dynamic", said("-", "-", "", "-"), Some("__handling=strict&__other=1")),
        ] {
            let (preferences, left) = Preferences::of_query(query, |_| false);
            assert_eq!((preferences, left.as_deref()), (wanted, rest), "{query}");
        }
        let (preferences, left) = Preferences::of_query("__code=1&__example=x", |name| name == "__code");
        assert_eq!((preferences, left.as_deref()), (said("-", "x", "-", "-"), Some("__code=1")));
    }

    #[test]
    fn what_is_said_twice_must_be_the_same() {
        let both = said("1", "-", "-", "strict").and(said("1", "x", "-", "-"));
        assert_eq!(both, Ok(said("1", "x", "-", "strict")));
        let other = said("1", "-", "-", "-").and(said("2", "-", "-", "-"));
        assert_eq!(other, Err(("code", "1".to_owned(), "2".to_owned())));
    }

    #[test]
    fn a_preference_is_quoted_where_it_must_be() {
        assert_eq!(preference("code", "404"), "code=404");
        assert_eq!(preference("example", "create.200.json"), "example=create.200.json");
        let written = preference("example", "a \"b\" \\");
        assert_eq!(written, "example=\"a \\\"b\\\" \\\\\"");
        assert_eq!(Preferences::of_header([written.as_str()]).example.as_deref(), Some("a \"b\" \\"));
    }
}
