//! JSONPath (RFC 9535): read once, with the place of what is wrong; followed in a number of steps that is bounded.
//!
//! The bound is why this is not a library: a path of a few characters, such as `$[*,*][*,*][*,*]`, can select more than
//! any memory holds. Nothing in a path is executed. Start with [`Path`].

mod read;
mod walk;

use serde_json::Value as Json;

use super::pattern;

/// A path into JSON.
#[derive(Debug, Clone)]
pub(super) struct Path {
    query: Query,
}

/// What a path finds.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'j> {
    /// The path can lead to one place only, and there is this.
    One(&'j Json),
    /// The path can lead to several places.
    Several(Vec<&'j Json>),
    Nothing,
    /// Following it takes too many steps.
    GivenUp,
}

#[derive(Debug, Clone)]
struct Query {
    /// From the whole document, not from the value that a filter looks at.
    from_root: bool,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone)]
struct Segment {
    /// Of the value and everything in it, not of the value alone.
    descends: bool,
    selectors: Vec<Selector>,
}

#[derive(Debug, Clone)]
enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Test),
}

/// A condition of a filter.
#[derive(Debug, Clone)]
enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    Exists(Query),
    Compare(Operand, Comparison, Operand),
    /// `match` looks at the whole text, `search` in it; the expression says which.
    Pattern(Operand, pattern::Pattern),
}

#[derive(Debug, Clone)]
enum Operand {
    Literal(Json),
    /// A query that can find one value at most.
    Value(Query),
    /// The value that a query finds, and nothing where it finds several.
    Only(Query),
    Length(Box<Operand>),
    Count(Query),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Query {
    /// Whether it can find one value at most.
    fn is_singular(&self) -> bool {
        let one = |segment: &Segment| {
            !segment.descends && matches!(segment.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
        };
        self.segments.iter().all(one)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(path: &str, document: &Json) -> Json {
        match Path::parse(path).unwrap_or_else(|fault| panic!("{path}: {fault:?}")).find(document) {
            Found::One(value) => json!([value]),
            Found::Several(values) => json!(values),
            Found::Nothing => json!([]),
            Found::GivenUp => json!("given up"),
        }
    }

    #[test]
    fn paths_find_what_the_standard_says() {
        let store = json!({ "store": {
            "book": [
                { "category": "reference", "title": "Sayings", "price": 8.95 },
                { "category": "fiction", "title": "Sword", "price": 12.99 },
                { "category": "fiction", "title": "Moby", "isbn": "0-553", "price": 8.99 },
            ],
            "bicycle": { "color": "red", "price": 399 },
        } });
        for (path, wanted) in [
            ("$.store.book[*].title", json!(["Sayings", "Sword", "Moby"])),
            ("$['store'][\"bicycle\"]['color']", json!(["red"])),
            ("$..price", json!([8.95, 12.99, 8.99, 399])),
            ("$.store.book[-1].title", json!(["Moby"])),
            ("$.store.book[0,2].title", json!(["Sayings", "Moby"])),
            ("$.store.book[:2].title", json!(["Sayings", "Sword"])),
            ("$.store.book[::-2].title", json!(["Moby", "Sayings"])),
            ("$.store.book[1:][0:1]", json!([])),
            ("$..book[?(@.isbn)].title", json!(["Moby"])),
            ("$..book[?@.price<10].title", json!(["Sayings", "Moby"])),
            ("$..book[?(@.price < 10 && @.category == 'fiction')].title", json!(["Moby"])),
            ("$..book[?!(@.price < 10) || @.isbn].title", json!(["Sword", "Moby"])),
            ("$..book[?@.price == $.store.book[0].price].title", json!(["Sayings"])),
            ("$..book[?length(@.title) == 5].title", json!(["Sword"])),
            ("$.store[?count(@.*) == 2].color", json!(["red"])),
            ("$..book[?match(@.title, 'S.*d')].title", json!(["Sword"])),
            ("$..book[?search(@.title, 'o')].title", json!(["Sword", "Moby"])),
            ("$..book[?@.isbn == @.nothing].title", json!(["Sayings", "Sword"])),
            ("$.store.*.color", json!(["red"])),
            ("$.nothing", json!([])),
            ("$", json!([store.clone()])),
        ] {
            assert_eq!(found(path, &store), wanted, "{path}");
        }
        let odd = json!({ "content-type": 1, "ä": 2, "a'b": 3, "n": null, "l": [1.0, "1", true] });
        for (path, wanted) in [
            ("$.content-type", json!([1])),
            ("$.ä", json!([2])),
            ("$['a\\'b']", json!([3])),
            ("$[\"\\u00e4\"]", json!([2])),
            ("$.n", json!([null])),
            ("$.l[?@ == 1]", json!([1.0])),
            ("$.l[?@ != 1]", json!(["1", true])),
            ("$[?@ == null]", json!([null])),
            ("$ . l [ 2 ]", json!([true])),
        ] {
            assert_eq!(found(path, &odd), wanted, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_at_its_character() {
        for (path, column, words) in [
            ("", 1, "begins with `$`"),
            ("a.b", 1, "begins with `$`"),
            ("$.", 3, "a name"),
            ("$.a[", 5, "a selector"),
            ("$.a[0", 6, "`]`"),
            ("$.a['b", 5, "not closed"),
            ("$.a.length()", 11, "stand in filters"),
            ("$.a[?(@.b = 1)]", 11, "`==`"),
            ("$.a[?(@.b == )]", 14, "a value"),
            ("$.a[?(@.b =~ /x/)]", 11, "`match(@.name, 'pattern')`"),
            ("$.a[?@.b in ['x']]", 10, "`==`"),
            ("$.a[(@.length-1)]", 5, "a selector"),
            ("$.a[?@.* == 1]", 6, "one value"),
            ("$.a[?sum(@.b) == 1]", 6, "`length`, `count`, `value`, `match` and `search`"),
            ("$.a[?match(@.b, '(')]", 17, "regular expression"),
            ("$.a[?match(@.b, @.c)]", 17, "a text"),
            ("$.a[01]", 6, "`]`"),
            ("$.a[99999999999999999999]", 5, "too large"),
            ("$.a b", 5, "`.`, `..` or `[`"),
        ] {
            let fault = Path::parse(path).unwrap_err();
            assert_eq!(fault.column, column, "{path}: {fault:?}");
            assert!(fault.words.contains(words), "{path}: {fault:?}");
        }
        let nested = format!("$[?{}@.a{}]", "(".repeat(10_000), ")".repeat(10_000));
        for path in [nested, format!("${}", ".a".repeat(10_000)), "$[?@".repeat(200)] {
            assert!(Path::parse(&path).is_err());
        }
    }

    #[test]
    fn a_path_that_selects_more_than_can_be_held_is_given_up() {
        let mut deep = json!([1]);
        for _ in 0..60 {
            deep = json!([deep]);
        }
        for path in
            [format!("${}", "[*,*]".repeat(50)), format!("${}", "..*".repeat(40)), "$..[?$..[?$..a]]".to_owned()]
        {
            let given_up = Path::parse(&path).unwrap();
            let wide: Json = (0..2000).map(|n| json!({ "a": n })).collect();
            let document = json!([deep, wide]);
            assert_eq!(given_up.find(&document), Found::GivenUp, "{path}");
        }
    }
}
