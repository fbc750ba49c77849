//! How much of a bare hyper server is left: throughput, and the server's own processor time per request.
//!
//! The bare server sends what the real one answers, byte for byte as far as status, media type and body go: the answer is
//! fetched first and handed over in a file. Its other headers are the real server's own cost; `--same-headers` gives
//! them to the bare one, too.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::bare;
use crate::client::{Client, TOKEN, block_on};
use crate::load::{Protocol, Request, load};
use crate::options::Options;
use crate::process::{Server, serve};
use crate::section::{Section, Table};
use crate::stats::{grouped, median, spread};

/// A call, and how much of bare hyper's throughput is to be left.
struct Case {
    /// What `--cases` calls it.
    name: &'static str,
    title: &'static str,
    pack: &'static str,
    request: Request,
    goal: f64,
    /// How many times bare hyper's processor time it may take.
    cpu: f64,
}

const READ: f64 = 1.3;
const CREATE: f64 = 1.6;
/// The sandbox of the creates, which is reset before each round.
const CREATES: &str = "/~creates";

/// An operation whose answer is an example as it stands: the packs that come with the program have none that is a GET.
const FIXED: &[(&str, &str)] = &[
    ("fixtures/weather/pack.yaml", include_str!("../packs/fixtures/weather/pack.yaml")),
    ("fixtures/weather/forecasts/show.yaml", include_str!("../packs/fixtures/weather/forecasts/show.yaml")),
    ("fixtures/weather/forecasts/show.200.json", include_str!("../packs/fixtures/weather/forecasts/show.200.json")),
    ("schemas/weather/forecast.json", include_str!("../packs/schemas/weather/forecast.json")),
];

fn cases() -> Vec<Case> {
    let merchant = || ("Authorization", TOKEN.to_owned());
    let get = |path: &str, headers| Request { method: "GET", path: path.to_owned(), headers, body: String::new() };
    let create = Request {
        method: "POST",
        path: format!("{CREATES}/customers"),
        headers: vec![merchant(), ("Content-Type", "application/json".to_owned())],
        body: r#"{"name":"Reportei Customer 3"}"#.to_owned(),
    };
    let customer = ("X-Customer-Token", "token-caedbbbe-7d93-476f-b965-bf97cd7ce874".to_owned());
    vec![
        Case {
            name: "replay",
            title: "replayed `GET`",
            pack: "weather",
            request: get("/forecast", vec![]),
            goal: 0.95,
            cpu: READ,
        },
        Case {
            name: "show",
            title: "`GET /customers/{uuid}`",
            pack: "reportei",
            request: get("/customers/caedbbbe-7d93-476f-b965-bf97cd7ce874", vec![merchant()]),
            goal: 0.9,
            cpu: READ,
        },
        Case {
            name: "list",
            title: "`GET /customers`",
            pack: "reportei",
            request: get("/customers", vec![merchant()]),
            goal: 0.9,
            cpu: READ,
        },
        Case { name: "create", title: "`POST /customers`", pack: "reportei", request: create, goal: 0.85, cpu: CREATE },
        Case {
            name: "guard",
            title: "`GET /customer-integrations/{uuid}`, token and guard",
            pack: "reportei",
            request: get("/customer-integrations/4addc0da-8583-4dbb-a0e9-c7e2e8470f50", vec![merchant(), customer]),
            goal: 0.85,
            cpu: READ,
        },
    ]
}

/// The real servers, and the bare ones of each case.
struct Servers {
    reportei: Server,
    weather: Server,
}

impl Servers {
    fn start(folder: &Path) -> Self {
        for (path, text) in FIXED {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
            fs::write(path, text).expect("the pack is written");
        }
        let text = |path: PathBuf| path.into_os_string().into_string().expect("a path");
        let (fixtures, schemas) = (text(folder.join("fixtures")), text(folder.join("schemas")));
        Servers {
            reportei: Server::start(serve(&["reportei", "--freeze"])),
            weather: Server::start(serve(&["weather", "--freeze", "--fixtures", &fixtures, "--schemas", &schemas])),
        }
    }

    fn of(&self, case: &Case) -> &Server {
        if case.pack == "weather" { &self.weather } else { &self.reportei }
    }
}

pub fn run(options: &Options) -> Section {
    let rounds = options.number("--rounds", 7, 1);
    let length = Duration::from_millis(options.number("--millis", 1000, 100));
    let about = format!(
        "Each round loads the bare server and the real one in turn, {} ms each, with one request under way on each \
         connection; medians of {rounds} rounds (least to most), ratios by round. Processor time is the server's own.",
        length.as_millis()
    );
    let mut section = Section::new("Against bare hyper", &about);
    let folder = TempDir::new().expect("a folder");
    let wanted = options.list("--cases", "replay,show,list,create,guard");
    let protocols = options.list("--protocols", "1,2");
    block_on(async {
        let servers = Servers::start(folder.path());
        Client::new(servers.reportei.address).await.post("/_standin/sandboxes", r#"{"id":"creates"}"#).await;
        let cases: Vec<Case> = cases().into_iter().filter(|case| wanted.iter().any(|name| name == case.name)).collect();
        let mut bare = Vec::new();
        for case in &cases {
            bare.push(bare_server(servers.of(case), case, folder.path(), options.has("--same-headers")).await);
        }
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let number = if protocol == Protocol::Http1 { "1" } else { "2" };
            if !protocols.iter().any(|wanted| wanted == number) {
                continue;
            }
            for connections in options.list("--connections", "32,256") {
                let connections = connections.parse().expect("--connections has numbers behind it");
                let mut table = table(protocol, connections);
                for (case, bare) in cases.iter().zip(&bare) {
                    eprintln!("{}, {connections} connections: {}", protocol.name(), case.name);
                    let load = Load { protocol, connections, rounds, length };
                    table.row(load.compare(case, bare, servers.of(case)).await);
                }
                section.tables.push(table);
            }
        }
    });
    section
}

fn table(protocol: Protocol, connections: usize) -> Table {
    let columns = [
        "request",
        "#bare req/s",
        "#standin req/s",
        "#throughput ratio",
        "#goal",
        "#bare µs",
        "#standin µs",
        "#CPU ratio",
        "#at most",
    ];
    Table::new(&format!("{}, {connections} connections", protocol.name()), &columns)
}

/// A bare server that sends what the real one answers.
async fn bare_server(real: &Server, case: &Case, folder: &Path, all: bool) -> Server {
    let mut client = Client::new(real.address).await;
    client.send(&case.request.wire()).await;
    let answer = String::from_utf8(client.answer().to_vec()).expect("an answer in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let first = lines.next().expect("a status line");
    let kept = lines.filter(|line| all || line.starts_with("content-type: "));
    let kept: String = kept.map(|line| format!("\r\n{line}")).collect();
    let file = folder.join(format!("{}.answer", case.name));
    fs::write(&file, format!("{first}{kept}\r\n\r\n{body}")).expect("the answer is written");
    Server::start(bare::command(&file))
}

struct Load {
    protocol: Protocol,
    connections: usize,
    rounds: u64,
    length: Duration,
}

impl Load {
    async fn compare(&self, case: &Case, bare: &Server, real: &Server) -> Vec<String> {
        let (mut rates, mut costs) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let (mut ratios, mut dearer) = (Vec::new(), Vec::new());
        for round in 0..=self.rounds {
            if case.request.path.starts_with(CREATES) {
                // What was created before must not make one round heavier than another.
                let mut control = Client::new(real.address).await;
                control.post(&format!("{CREATES}/_standin/reset"), "{}").await;
            }
            // The first one warms both up.
            let length = if round == 0 { self.length / 4 } else { self.length };
            let first = load(bare, self.protocol, self.connections, &case.request, length).await;
            let second = load(real, self.protocol, self.connections, &case.request, length).await;
            if round > 0 {
                ratios.push(second.rate / first.rate);
                dearer.push(second.cost / first.cost);
                for (index, measured) in [first, second].iter().enumerate() {
                    rates[index].push(measured.rate);
                    costs[index].push(measured.cost);
                }
            }
        }
        vec![
            case.title.to_owned(),
            grouped(median(&rates[0])),
            grouped(median(&rates[1])),
            spread(&ratios),
            format!("{:.2}", case.goal),
            format!("{:.1}", median(&costs[0])),
            format!("{:.1}", median(&costs[1])),
            spread(&dearer),
            format!("{:.1}", case.cpu),
        ]
    }
}
