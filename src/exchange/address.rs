//! Parts of URLs, as text.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is written otherwise in a part of a path or a query: everything but what RFC 3986 calls unreserved.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one part of a path, or as a name or value of a query.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// A URL without its query in two: scheme and authority, and the path, which is empty where there is none.
pub(crate) fn apart(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |at| at + "://".len());
    url[authority..].find('/').map_or((url, ""), |at| url.split_at(authority + at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_nothing_that_would_end_it() {
        assert_eq!(segment("a-b.c_d~e/é ?#%"), "a-b.c_d~e%2F%C3%A9%20%3F%23%25");
    }

    #[test]
    fn a_url_has_an_origin_and_a_path() {
        assert_eq!(apart("http://[::1]:4010/~one/shop"), ("http://[::1]:4010", "/~one/shop"));
        assert_eq!(apart("http://localhost"), ("http://localhost", ""));
        assert_eq!(apart("localhost/a"), ("localhost", "/a"));
    }
}
