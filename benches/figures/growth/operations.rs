//! Numbers of operations: loading them, finding the one that is meant, and saying which were nearly meant.

use std::fs;
use std::time::{Duration, Instant};

use super::grid::{self, Effort, Line, Row, clock, request};
use super::{Curve, Heading};
use crate::client::{Client, block_on};
use crate::options::Options;
use crate::process::{Server, serve};
use crate::stats::median;

/// A pack has at most 5000 files, and each operation is one.
const IN_A_PACK: u64 = 2_500;

/// Packs with so many operations in all.
struct Packs {
    operations: u64,
    folder: tempfile::TempDir,
}

/// A server of them.
struct Served {
    operations: u64,
    server: Server,
}

impl AsRef<Server> for Served {
    fn as_ref(&self) -> &Server {
        &self.server
    }
}

const PACK: &str = "\
auth:
  caller: { in: header, name: Authorization, decode: bearer, finds: caller.key, else: unauthenticated }
credentials:
  - { label: caller, scheme: caller, value: Bearer caller }
resources:
  caller:
    id: id
    fields: { id: string, key: secret }
    seed: { records: [{ id: caller, key: caller }] }
errors:
  unauthenticated: { status: 401, show: { message: Who is calling? }, assumed: Made for measuring. }
  invalid: { status: 422, show: { message: \"= violations[0].message\" }, assumed: Made for measuring. }
violations:
  - { error: invalid }
";

const ANSWER: &str = r#"{
  "type": "object",
  "required": ["id", "number"],
  "properties": { "id": { "type": "string" }, "number": { "type": "integer" } },
  "additionalProperties": false
}
"#;

impl Packs {
    fn written(operations: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for pack in 0..operations.div_ceil(IN_A_PACK) {
            let (files, schemas) =
                (folder.path().join(format!("fixtures/p{pack}")), folder.path().join(format!("schemas/p{pack}")));
            fs::create_dir_all(files.join("things")).expect("a folder");
            fs::create_dir_all(&schemas).expect("a folder");
            fs::write(files.join("pack.yaml"), format!("pack: p{pack}\ntitle: Pack {pack}\n{PACK}")).expect("a file");
            fs::write(schemas.join("answer.json"), ANSWER).expect("a file");
            for number in pack * IN_A_PACK..operations.min((pack + 1) * IN_A_PACK) {
                let text = format!(
                    "operation: Show thing {number}\nrequest: GET /things-{number}/{{id}}\nassumed: Made for measuring.\n\
                     auth: caller\npath:\n  id: {{ type: string, minLength: 1 }}\nrespond:\n  status: 200\n  schema: answer\n  \
                     show: {{ id: = path.id, number: = {number} }}\n"
                );
                fs::write(files.join(format!("things/show-{number}.yaml")), text).expect("a file");
            }
        }
        Packs { operations, folder }
    }

    fn serve(&self) -> Server {
        let folder = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        let packs: Vec<String> = (0..self.operations.div_ceil(IN_A_PACK)).map(|pack| format!("p{pack}")).collect();
        let (fixtures, schemas) = (folder("fixtures"), folder("schemas"));
        let mut arguments: Vec<&str> = packs.iter().map(String::as_str).collect();
        arguments.extend(["--fixtures", &fixtures, "--schemas", &schemas, "--freeze", "--watch", "off"]);
        Server::start(serve(&arguments))
    }
}

/// The path of a thing; a server of one pack has it at its root, too.
fn path(number: u64) -> String {
    format!("/p{}/things-{number}/some", number / IN_A_PACK)
}

const CALLER: &str = "Authorization: Bearer caller\r\n";

fn rows() -> Vec<Row<Served>> {
    vec![
        clock(),
        Row::new("the first operation", 200, |_, _, _| request(&format!("GET {}", path(0)), CALLER, "")),
        Row::new("the last operation", 200, |served: &Served, _, _| {
            request(&format!("GET {}", path(served.operations - 1)), CALLER, "")
        }),
        Row::new("no operation, with near misses", 404, |served: &Served, _, _| {
            request(&format!("GET {}/more", path(served.operations - 1)), CALLER, "")
        }),
    ]
}

const CALLS: Heading = Heading {
    name: "operations",
    title: "Operations",
    sizes: "operations",
    explained: "\
Finding an operation walks along the path, however many there are; only a request that none answers is \
compared with all operations of its pack, to say which were nearly meant.",
};

const START: Heading = Heading {
    name: "operations-start",
    title: "Start with many operations",
    sizes: "operations",
    explained: "\
Rises with the operations, each of which is read, checked and compiled once, and with nothing faster \
than that.",
};

const MEMORY: Heading = Heading {
    name: "operations-memory",
    title: "Memory of operations",
    sizes: "operations",
    explained: "\
A straight line: about 20 KiB for each operation, most of it the compiled schemas of its parameters.",
};

pub fn run(options: &Options) -> Vec<Curve> {
    block_on(async {
        let sizes = super::decades(10, options.number("--operations", 10_000, 10_000));
        let packs: Vec<Packs> = sizes.iter().map(|size| Packs::written(*size)).collect();
        let mut start = Line::new("process start to first answer", sizes.len());
        let mut memory: Vec<Vec<f64>> = sizes.iter().map(|_| Vec::new()).collect();
        for _ in 0..options.number("--starts", 5, 2) {
            for ((packs, point), memory) in packs.iter().zip(&mut start.points).zip(&mut memory) {
                let began = Instant::now();
                let server = packs.serve();
                let mut client = Client::new(server.address).await;
                client.send(request(&format!("GET {}", path(packs.operations - 1)), CALLER, "").as_bytes()).await;
                point.add(began.elapsed().as_secs_f64() * 1e6, server.cpu().all());
                memory.push(server.memory() as f64 / 1024.0);
            }
        }
        let subjects: Vec<Served> =
            packs.iter().map(|packs| Served { operations: packs.operations, server: packs.serve() }).collect();
        let effort =
            Effort { rounds: options.number("--rounds", 15, 3), calls: 40, longest: Duration::from_millis(200) };
        let lines = grid::measure(&subjects, &rows(), effort).await;
        let memory = memory.iter().map(|values| median(values)).collect();
        vec![
            Curve::of(&CALLS, &sizes, &lines),
            Curve::of(&START, &sizes, &[start]),
            Curve::with(&MEMORY, "MiB in use after the start", &sizes, &[("all", memory)]),
        ]
    })
}
