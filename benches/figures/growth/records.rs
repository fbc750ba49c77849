//! Numbers of records: reading, searching, changing, going back. All four are measured at the same servers.

use std::time::Duration;

use serde_json::Value;

use super::grid::{self, Effort, Row, clock, request};
use super::{Curve, Heading, fill};
use crate::client::{Client, block_on};
use crate::options::Options;
use crate::process::{Server, serve};

/// How many records are shown in turn.
const SPREAD: u64 = 64;
/// More than a log keeps.
const UPDATES: u64 = 10_500;
/// Records on a page, as the pack has it.
const PAGE: u64 = 15;

/// A server with so many records, whose log is full.
struct World {
    records: u64,
    server: Server,
    /// Ids of records that lie evenly among all, with their names.
    ids: Vec<(String, String)>,
}

impl AsRef<Server> for World {
    fn as_ref(&self) -> &Server {
        &self.server
    }
}

const LARGE: &str = "Authorization: Bearer large-account\r\n";
const SMALL: &str = "Authorization: Bearer small-account\r\n";

fn item(name: &str, number: u64) -> String {
    let kind = if number.is_multiple_of(2) { "even" } else { "odd" };
    // Weights in no order, so that sorting by them has something to do.
    let weight = number.wrapping_mul(2_654_435_761) % 1_000_003;
    format!(r#"{{"name":"{name}","kind":"{kind}","weight":{weight}}}"#)
}

fn create(name: &str, number: u64, headers: &str) -> String {
    request("POST /items", headers, &item(&format!("{name}-{number}"), number))
}

fn update((id, name): &(String, String), number: u64) -> String {
    request(&format!("PUT /items/{id}"), LARGE, &item(name, number))
}

impl World {
    async fn filled(records: u64) -> Self {
        let fixtures = super::folder("fixtures");
        let schemas = super::folder("schemas");
        let server = Server::start(serve(&[
            "records",
            "--fixtures",
            &fixtures,
            "--schemas",
            &schemas,
            "--freeze",
            "--max-sandboxes",
            "100000",
            "--max-snapshots",
            "100000",
        ]));
        let address = server.address;
        fill::all(address, 10, |number| create("small", number, SMALL)).await;
        fill::all(address, records, |number| create("item", number, LARGE)).await;
        let mut ids = Vec::new();
        let mut client = Client::new(address).await;
        for place in 0..SPREAD.min(records) {
            let place = place * records / SPREAD.min(records);
            let path = format!("GET /items?page={}", 1 + place / PAGE);
            let page = client.send(request(&path, LARGE, "").as_bytes()).await;
            let page: Value = serde_json::from_slice(page).expect("JSON");
            let at = usize::try_from(place % PAGE).expect("a place");
            let text = |key: &str| page["items"][at][key].as_str().expect("a text").to_owned();
            ids.push((text("id"), text("name")));
        }
        let first = ids[0].clone();
        fill::all(address, UPDATES, move |number| update(&first, number)).await;
        World { records, server, ids }
    }

    fn page(&self, page: u64) -> String {
        request(&format!("GET /items?page={page}"), LARGE, "")
    }

    fn last_page(&self) -> u64 {
        self.records.div_ceil(PAGE).max(1)
    }

    /// One of those that lie evenly.
    fn known(&self, turn: u64) -> &(String, String) {
        &self.ids[usize::try_from(turn).unwrap_or(0) % self.ids.len()]
    }

    /// One of the records, each time another one; never the first.
    fn some(&self, turn: u64) -> u64 {
        1 + (turn * 7_919) % (self.records - 1)
    }
}

fn reading() -> Vec<Row<World>> {
    vec![
        clock(),
        Row::new("show a record", 200, |world: &World, turn, _| {
            request(&format!("GET /items/{}", world.known(turn).0), LARGE, "")
        }),
        Row::new("find by token", 200, |world: &World, turn, _| {
            request("GET /item", &format!("x-item: token-item-{}\r\n", world.some(turn)), "")
        }),
        Row::new("list, the first page", 200, |world, _, _| world.page(1)),
        Row::new("list, the middle page", 200, |world, _, _| world.page(world.last_page().div_ceil(2))),
        Row::new("list, the last page", 200, |world, _, _| world.page(world.last_page())),
        Row::new("list of who has ten", 200, |_, _, _| request("GET /items", SMALL, "")),
        Row::new("list of whose accounts have ten", 200, |_, _, _| {
            request("GET /company/items", "x-company: small-company\r\n", "")
        }),
    ]
}

fn changing() -> Vec<Row<World>> {
    vec![
        clock(),
        Row::new("create a record", 201, |_, turn, _| create("new", turn, LARGE)),
        Row::new("create, name taken", 409, |world: &World, turn, _| create("item", world.some(turn), LARGE)),
        Row::new("update a record", 200, |world: &World, turn, _| update(world.known(turn), turn)),
        Row::new("delete one of the newest", 204, |_, turn, _| {
            request(&format!("DELETE /named/new-{turn}"), LARGE, "")
        }),
    ]
}

fn searching() -> Vec<Row<World>> {
    vec![
        clock(),
        Row::new("list, where a condition holds", 200, |_, _, _| request("GET /kinds/even/items", LARGE, "")),
        Row::new("list, sorted by a number", 200, |_, _, _| request("GET /items?sort=weight", LARGE, "")),
        Row::new("list, sorted by a text", 200, |_, _, _| request("GET /items?sort=name", LARGE, "")),
        Row::new("control plane: records with a text", 200, |_, _, _| {
            request("GET /_standin/state/records/item?text=nowhere", "", "")
        }),
        Row::new("control plane: records with a value", 200, |_, _, _| {
            request("GET /_standin/state/records/item?field=name&value=nowhere", "", "")
        }),
    ]
}

fn worlds() -> Vec<Row<World>> {
    fn new(_: &World, turn: u64) -> String {
        create("undone", turn, LARGE)
    }
    fn gone(world: &World, turn: u64) -> String {
        request(&format!("DELETE /named/{}", world.known(turn).1), LARGE, "")
    }
    fn back(_: &World, turn: u64) -> String {
        request(&format!("POST /_standin/snapshots/at-{turn}/restore"), "", "{}")
    }
    fn undone(_: &World, _: u64, last: &str) -> String {
        let entry = last.lines().find_map(|line| line.strip_prefix("standin-entry: ")).expect("an entry");
        request("POST /_standin/rewind", "", &format!(r#"{{"to":{entry}}}"#))
    }
    vec![
        clock(),
        Row::new("fork a sandbox", 201, |_, turn, _| {
            request("POST /_standin/sandboxes", "", &format!(r#"{{"id":"fork-{turn}","from":"default"}}"#))
        }),
        Row::new("create the first record of a fork", 201, |_, turn, _| {
            request(&format!("POST /~fork-{turn}/items"), LARGE, &item(&format!("fork-{turn}"), turn))
        }),
        Row::new("delete a changed fork", 204, |_, turn, _| {
            request(&format!("DELETE /_standin/sandboxes/fork-{turn}"), "", "")
        }),
        Row::new("take a snapshot", 201, |_, turn, _| {
            request("POST /_standin/snapshots", "", &format!(r#"{{"name":"at-{turn}"}}"#))
        }),
        Row::new("fork a snapshot", 201, |_, turn, _| {
            request("POST /_standin/sandboxes", "", &format!(r#"{{"id":"of-{turn}","from":"default@at-{turn}"}}"#))
        }),
        Row::new("delete that fork", 204, |_, turn, _| {
            request(&format!("DELETE /_standin/sandboxes/of-{turn}"), "", "")
        }),
        Row::new("delete a record, after a restore", 204, |world, turn, _| gone(world, turn)).behind(back),
        Row::new("restore a snapshot, after a create", 200, |world, turn, _| back(world, turn)).behind(new),
        Row::new("delete a snapshot", 204, |_, turn, _| {
            request(&format!("DELETE /_standin/snapshots/at-{turn}"), "", "")
        }),
        Row::new("rewind to before a create", 200, undone).behind(new),
        Row::new("rewind to before a delete", 200, undone).behind(gone),
    ]
}

const READING: Heading = Heading {
    name: "records-read",
    title: "Reading",
    sizes: "records",
    explained: "\
Flat but for memory: a record is found by hash and a page by its place, so that only the maps become \
deeper, by a level for 16 to 32 times as many, and fewer of their nodes are in the processor's caches; \
what others have costs a caller nothing, also where the caller owns records through their owners.",
};

const CHANGING: Heading = Heading {
    name: "records-change",
    title: "Changing",
    sizes: "records",
    explained: "\
A create, an update and a look whether a name is taken touch one path of each map, which is a level \
deeper for 16 to 32 times as many records; an update leaves alone what it does not change, and a record \
leaves its place at the price of one chunk of 512 numbers.",
};

const SEARCHING: Heading = Heading {
    name: "records-search",
    title: "Searching",
    sizes: "records",
    explained: "\
Rises with the records, as it must where no index answers: a condition is asked of each of them, and a \
sorted page looks at each value once and sorts no more than the page.",
};

const WORLDS: Heading = Heading {
    name: "worlds",
    title: "Going back",
    sizes: "records",
    explained: "\
A fork and a snapshot share everything and cost the same for any number of records; the first change \
afterwards copies a path in each map and a chunk of numbers, and whoever drops the copy frees them.",
};

const MEMORY: Heading = Heading {
    name: "records-memory",
    title: "Memory of a record",
    sizes: "records",
    explained: "\
A straight line: about 1.6 KiB for each record of seven fields, with its JSON ready to be sent and five \
indexes, above what the server and 10 000 entries of the log take.",
};

pub fn run(options: &Options) -> Vec<Curve> {
    block_on(async {
        let sizes: Vec<u64> = super::decades(100, options.number("--records", 1_000_000, 10_000));
        let mut subjects = Vec::new();
        for size in &sizes {
            subjects.push(World::filled(*size).await);
        }
        let rounds = options.number("--rounds", 15, 3);
        let effort = Effort { rounds, calls: 40, longest: Duration::from_secs(1) };
        let mut curves = Vec::new();
        for (heading, rows) in [(&READING, reading()), (&CHANGING, changing()), (&WORLDS, worlds())] {
            curves.push(Curve::of(heading, &sizes, &grid::measure(&subjects, &rows, effort).await));
        }
        // These take as long as there are records.
        let effort = Effort { rounds: rounds.min(3), calls: 20, longest: Duration::from_millis(50) };
        let lines = grid::measure(&subjects, &searching(), effort).await;
        curves.insert(1, Curve::of(&SEARCHING, &sizes, &lines));
        let memory: Vec<f64> = subjects.iter().map(|world| world.server.memory() as f64 / 1024.0).collect();
        curves.push(Curve::with(&MEMORY, "MiB in use", &sizes, &[("all", memory)]));
        curves
    })
}
