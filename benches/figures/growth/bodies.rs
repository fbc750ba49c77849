//! Sizes of bodies, to 1 MiB: read, checked against a schema, kept in the log, and sent back.

use std::fmt::Write as _;
use std::time::Duration;

use super::grid::{self, Effort, Row, clock, request};
use super::{Curve, Heading};
use crate::client::block_on;
use crate::options::Options;
use crate::process::{Server, serve};

/// A server, and the bodies of one size that it is sent.
struct Sized {
    server: Server,
    rows: String,
    text: String,
}

impl AsRef<Server> for Sized {
    fn as_ref(&self) -> &Server {
        &self.server
    }
}

impl Sized {
    fn new(bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(0);
        let (fixtures, schemas) = (super::folder("fixtures"), super::folder("schemas"));
        let server = Server::start(serve(&["records", "--fixtures", &fixtures, "--schemas", &schemas, "--freeze"]));
        Sized { server, rows: rows(bytes), text: format!(r#"{{"text":"{}"}}"#, "a".repeat(bytes - 11)) }
    }
}

/// JSON of about so many bytes, never more, with objects of about 44 bytes.
fn rows(bytes: usize) -> String {
    let mut text = String::from(r#"{"rows":["#);
    for number in 0.. {
        let mut row = String::new();
        let _ = write!(row, r#"{{"id":{number},"name":"Row {number}","price":{number}.5}}"#);
        if text.len() + row.len() + 3 > bytes {
            break;
        }
        if number > 0 {
            text.push(',');
        }
        text.push_str(&row);
    }
    text.push_str("]}");
    text
}

fn calls() -> Vec<Row<Sized>> {
    vec![
        clock(),
        Row::new("one text, checked", 200, |sized: &Sized, _, _| request("POST /text", "", &sized.text)),
        Row::new("objects, checked", 200, |sized: &Sized, _, _| request("POST /rows/count", "", &sized.rows)),
        Row::new("objects, checked and sent back", 200, |sized: &Sized, _, _| {
            request("POST /rows/echo", "", &sized.rows)
        }),
    ]
}

const BODIES: Heading = Heading {
    name: "bodies",
    title: "Bodies",
    sizes: "bytes of the body",
    explained: "\
Flat up to 1 KiB, where a request costs what every request costs, and a straight line from then on: \
about 1 ns for each byte of a text, and 20 ns for each byte of small objects, which are parsed, searched \
for keys that stand twice, and checked one by one.",
};

pub fn run(options: &Options) -> Vec<Curve> {
    block_on(async {
        // 64 bytes to 1 MiB, each four times the one before.
        let most = options.number("--bytes", 1 << 20, 1 << 16);
        let sizes: Vec<u64> =
            std::iter::successors(Some(64), |size| Some(size * 4)).take_while(|size| *size <= most).collect();
        let subjects: Vec<Sized> = sizes.iter().map(|size| Sized::new(*size)).collect();
        let effort =
            Effort { rounds: options.number("--rounds", 15, 3), calls: 40, longest: Duration::from_millis(150) };
        vec![Curve::of(&BODIES, &sizes, &grid::measure(&subjects, &calls(), effort).await)]
    })
}
