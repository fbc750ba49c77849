//! Bundles: a log that is done again gives the same bytes, or it is said where not.

mod by_itself;
mod going_on;

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use ring::digest::{SHA256, digest};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server::{JSON, REPORTEI, Server, advance, standin};
use crate::support::{copy, replace, repository};
use crate::traffic::{Chance, call, control};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";

/// A bundle in a file of its own.
pub(crate) struct File {
    _folder: TempDir,
    path: PathBuf,
}

impl File {
    fn new(bytes: impl AsRef<[u8]>) -> File {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.bundle");
        fs::write(&path, bytes).unwrap();
        File { _folder: folder, path }
    }

    pub(crate) fn of(server: &Server, sandbox: &str) -> File {
        let answer = server.get(&format!("/~{sandbox}/_standin/log?format=bundle")).expect(200);
        assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
        let name = format!("attachment; filename=\"{sandbox}.bundle\"");
        assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
        File::new(answer.body)
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    pub(crate) fn replay(&self, more: &[&str]) -> Replayed {
        let Output { status, stdout, stderr } = standin().arg("replay").arg(&self.path).args(more).output().unwrap();
        let shown = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(self.path.to_str().unwrap(), "FILE");
        Replayed { code: status.code().unwrap(), said: shown(stdout), errors: shown(stderr) }
    }
}

#[derive(Debug)]
pub(crate) struct Replayed {
    code: i32,
    said: String,
    errors: String,
}

impl Replayed {
    #[track_caller]
    pub(crate) fn same(&self) -> &str {
        assert_eq!((self.code, self.errors.as_str()), (0, ""), "{self:?}");
        assert!(self.said.contains("\nsame: "), "{self:?}");
        &self.said
    }

    #[track_caller]
    fn differs(&self, words: &str) {
        assert_eq!((self.code, self.errors.as_str()), (1, ""), "{self:?}");
        assert!(self.said.contains(words), "{words}: {}", self.said);
    }

    #[track_caller]
    fn unreadable(&self, words: &str) {
        assert_eq!((self.code, self.said.as_str()), (3, ""), "{self:?}");
        assert!(self.errors.starts_with("error: FILE:") && self.errors.contains(words), "{words}: {}", self.errors);
    }
}

/// The last line of a text made true again.
fn sealed(lines: &[String]) -> String {
    let body = lines[..lines.len() - 1].join("\n") + "\n";
    let mut end: Json = serde_json::from_str(&lines[lines.len() - 1]).unwrap();
    let hash = digest(&SHA256, body.as_bytes());
    end["end"]["sha256"] = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
    end["end"]["entries"] = (lines.len() - 2).into();
    format!("{body}{end}\n")
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Creates, a move of the clock, an edit, an event, reads, refusals: five exchanges among eight entries.
fn story(arguments: &[&str]) -> Server {
    let server = Server::start(&[&["reportei", "--freeze"], arguments].concat());
    server.api("POST", "/customers", Some(json!({ "name": "One" }))).expect(201);
    advance(&server, "1h");
    let path = format!("/state/reportei/customer/{FIRST}");
    server.control("PATCH", &path, Some(json!({ "is_paying": true }))).expect(200);
    server
        .control("POST", "/events/reportei/revoke", Some(json!({ "uuid": "6110b666-0327-4a81-b48e-9feb34d72f78" })))
        .expect(200);
    server.api("GET", "/customers", None).expect(200);
    server.api("POST", "/customers", Some(json!({}))).expect(422);
    server.call("GET", "/customers", &[("X-Odd", "\u{fc}\u{1f980}")], "").expect(401);
    server.api("DELETE", &format!("/customers/{FIRST}"), None).expect(200);
    server
}

#[test]
fn a_log_that_is_done_again_gives_the_same_bytes() {
    let server = story(&[]);
    let said = File::of(&server, "default").replay(&[]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        said.same(),
        format!(
            "FILE: sandbox `default`, seed 1, written by standin {version}\n\
             same: 8 entries, 5 exchanges among them, byte for byte, and the records at the end\n"
        )
    );
    let proof = File::of(&server, "default").replay(&["--format", "json"]);
    let proof: Json = serde_json::from_str(&proof.said).unwrap();
    let expected = json!({
        "sandbox": "default", "seed": 1, "version": version, "evicted": 0, "entries": 8, "exchanges": 5,
        "attempts": 0, "changed": [], "altered": false, "difference": null, "records": true, "agenda": true,
    });
    assert_eq!(proof, expected);
}

/// What a request prefers is part of it.
#[test]
fn preferred_answers_are_given_again() {
    let server = Server::start(&["reportei", "--freeze"]);
    for prefer in ["code=404", "example=show.200.json", "handling=strict", "code=418"] {
        server.call("GET", &format!("/customers/{FIRST}?__dynamic=true"), &[REPORTEI, ("Prefer", prefer)], "");
    }
    File::of(&server, "default").replay(&[]).same();
}

/// A server that is not strict would have given another answer.
#[test]
fn a_log_of_a_strict_server_is_done_again_as_strictly() {
    let server = Server::start(&["reportei", "--freeze", "--strict"]);
    server.api("POST", "/customers", Some(json!({}))).problem(501, "assumed-answer");
    server.api("GET", "/customers", None).expect(200);
    File::of(&server, "default").replay(&[]).same();
}

/// Everything that changes a world is in the log, and nothing else does: whatever is done, in whatever order, with
/// restores, rewinds and forks in between, the log alone makes the same records again.
#[test]
fn the_log_explains_whatever_was_done() {
    let server = Server::start(&[]);
    let (mut explained, mut back, mut forked) = (0, 0, 0);
    for seed in 0..10 {
        let mut chance = Chance::new(seed);
        let mut sandbox = format!("world-{seed}");
        let made = json!({ "id": sandbox, "seed": seed, "clock": "2024-10-02T00:00:00Z" });
        server.control("POST", "/sandboxes", Some(made)).expect(201);
        let (mut snapshots, mut forks) = (Vec::new(), 0);
        for step in 0..120 {
            let prefix = format!("/~{sandbox}/_standin");
            let post = |path: &str, body: Json| {
                server.call("POST", &format!("{prefix}{path}"), &[JSON], body.to_string()).expect(200);
            };
            match chance.below(20) {
                0 => {
                    let name = json!({ "name": format!("s{step}") });
                    server.call("POST", &format!("{prefix}/snapshots"), &[JSON], name.to_string()).expect(201);
                    snapshots.push(step);
                }
                1 if !snapshots.is_empty() => {
                    post(&format!("/snapshots/s{}/restore", chance.of(&snapshots)), json!({}));
                    back += 1;
                }
                2 => {
                    let log = server.get(&format!("{prefix}/log?limit=1000")).expect(200).json();
                    let entries = log["records"].as_array().unwrap();
                    if !entries.is_empty() {
                        // Mostly one of the last, or little would be left to explain.
                        let undone = chance.below(entries.len().min(12)) + 1;
                        post("/rewind", json!({ "to": entries[entries.len() - undone]["entry"] }));
                        back += 1;
                    }
                }
                3 if forks < 3 && step < 60 => {
                    let fork = format!("world-{seed}-{step}");
                    // With a seed of its own the log begins with the records that are there.
                    let made = json!({ "id": fork, "from": sandbox, "seed": if forks == 0 { step } else { seed } });
                    server.control("POST", "/sandboxes", Some(made)).expect(201);
                    (sandbox, snapshots) = (fork, Vec::new());
                    forks += 1;
                }
                4..9 => {
                    control(&mut chance).to(&server, &sandbox);
                }
                _ => {
                    let answer = call(&mut chance).to(&server, &sandbox);
                    assert_ne!(answer.status, 500, "{answer}");
                }
            }
        }
        forked += forks;
        let bundle = File::of(&server, &sandbox);
        explained += bundle.text().lines().count() - 2;
        bundle.replay(&[]).same();
    }
    assert!(explained > 100 && back > 30 && forked > 10, "{explained} entries, back {back} times, {forked} forks");
}

/// However many threads answer, and however their calls interleave, one thread gives the same answers again.
#[test]
fn threads_do_not_show() {
    for threads in ["1", "2", "8"] {
        let server = Server::start(&["--threads", threads]);
        std::thread::scope(|scope| {
            for client in 0..8 {
                let server = &server;
                scope.spawn(move || {
                    let mut chance = Chance::new(100 + client);
                    for _ in 0..40 {
                        let sent = if chance.below(8) == 0 { control(&mut chance) } else { call(&mut chance) };
                        if !sent.path.ends_with("/reset") {
                            sent.to(server, "default");
                        }
                    }
                });
            }
        });
        let said = File::of(&server, "default").replay(&[]);
        assert!(said.same().contains(" entries, "), "{said:?}");
    }
}

/// What had to make room is replaced by the records that it left.
#[test]
fn a_log_whose_beginning_is_gone_can_be_done_again() {
    let server = story(&["--max-journal-entries", "3"]);
    let bundle = File::of(&server, "default");
    let said = bundle.replay(&[]);
    let note = "note: 5 entries before the first had to make room; the bundle has the records that they left\n\
                same: 3 entries, 3 exchanges among them";
    assert!(said.same().contains(note), "{said:?}");
    // The records are not there for show.
    let without = bundle.text().replacen("Reportei Customer 2", "Another", 1);
    assert_ne!(without, bundle.text());
    File::new(sealed(&lines(&without))).replay(&[]).differs("different: the records at the end");
}

#[test]
fn an_empty_log_proves_that_nothing_happened() {
    let server = Server::start(&["--freeze", "--clock", "2030-01-01T00:00:00Z"]);
    let said = File::of(&server, "default").replay(&[]);
    assert!(said.same().contains("same: 0 entries, 0 exchanges"), "{said:?}");
    let server = Server::start(&["--clock", "now"]);
    server.api("GET", "/reportei/customers", None).expect(200);
    File::of(&server, "default").replay(&[]).same();
}

#[test]
fn options_and_limits_are_part_of_a_bundle() {
    let server = Server::start(&["--freeze", "--max-json-depth", "3", "--option", "hubster.put-update"]);
    let deep = json!({ "name": [[[[[["deep"]]]]]] });
    server.call("POST", "/reportei/customers", &[REPORTEI, JSON], deep.to_string()).expect(400);
    server
        .control("POST", "/sandboxes", Some(json!({ "id": "a", "options": { "hubster.get-enums": "numbers" } })))
        .expect(201);
    let get = "/~a/hubster/api/v1/integrations/00000000-0000-0000-0000-000000000102";
    server.call("GET", get, &[crate::hubster::PORTAL], "").expect(200);
    let bundle = File::of(&server, "a");
    bundle.replay(&[]).same();
    File::of(&server, "default").replay(&[]).same();
    let other = bundle.text().replacen("\"hubster.get-enums\":\"numbers\"", "\"hubster.get-enums\":\"strings\"", 1);
    File::new(sealed(&lines(&other))).replay(&[]).differs("body: `/");
    let unknown = bundle.text().replacen("\"hubster.get-enums\"", "\"hubster.get-enumss\"", 1);
    let said = File::new(sealed(&lines(&unknown))).replay(&[]);
    assert_eq!(said.code, 3);
    assert!(said.errors.contains("did you mean `get-enums`?"), "{said:?}");
}

/// Each part of an answer is compared, and the first that differs is named.
#[test]
fn the_first_difference_is_named() {
    let bundle = File::of(&story(&[]), "default").text();
    for (old, new, words) in [
        (
            "\"status\":201",
            "\"status\":200",
            "different: entry 1, POST /customers of `reportei` (FILE:2)\n  operation reportei/customers/create\n  status: it was 200, it is 201",
        ),
        ("\"is_paying\\\":false,", "\"is_paying\\\":true,", "  body: `/customer/is_paying` was true, is false"),
        ("Bearer reportei-test-token", "Bearer nobody", "  status: it was 201, it is 401"),
        (
            "[\"standin-contract\",\"documented\"]",
            "[\"standin-contract\",\"assumed\"]",
            "  header: it was `standin-contract: assumed`, it is `standin-contract: documented`",
        ),
        (
            "\"operation\":\"reportei/customers/create\"",
            "\"operation\":null",
            "  operation: it was none, it is `reportei/customers/create`",
        ),
        ("\"verb\":\"create\"", "\"verb\":\"delete\"", "  change: it was `delete customer"),
        ("\"seed\":1", "\"seed\":2", "  body: `/customer/uuid` was"),
        ("\"event\":\"revoke\"", "\"event\":\"rewoke\"", "  the pack `reportei` has no such event any more"),
        ("\"is_paying\":true}", "\"is_paing\":true}", "  it is refused: a `customer` has no field `is_paing`"),
        (
            "\"at\":\"2024-10-01T17:15:12Z\",\"what\"",
            "\"at\":\"2025-10-01T17:15:12Z\",\"what\"",
            "  body: `/customer/updated_at` was",
        ),
    ] {
        let altered = bundle.replacen(old, new, 1);
        assert_ne!(altered, bundle, "{old}");
        let said = File::new(&altered).replay(&[]);
        said.differs("altered: the bundle is not what was written");
        said.differs(words);
        let sealed = File::new(sealed(&lines(&altered))).replay(&[]);
        sealed.differs(words);
        assert!(!sealed.said.contains("altered:"), "{sealed:?}");
    }
}

/// A change that no later answer shows is still missed.
#[test]
fn an_entry_that_is_taken_out_is_missed() {
    let all = lines(&File::of(&story(&[]), "default").text());
    for taken in 1..all.len() - 1 {
        let mut rest = all.clone();
        let line = rest.remove(taken);
        let said = File::new(sealed(&rest)).replay(&[]);
        // A read that draws nothing changes nothing but the place of what is drawn later, and nothing is.
        let changes = !line.contains("\"changes\":[]") && !line.contains("\"clock\"");
        if changes { said.differs("different: ") } else { assert!(said.code <= 1, "{said:?}") }
    }
    let mut rest = all.clone();
    rest.remove(3);
    File::new(rest.join("\n") + "\n").replay(&[]).unreadable("lines were taken out or put in");
}

#[test]
fn a_bundle_that_cannot_be_read_is_refused_with_the_line() {
    let whole = File::of(&story(&[]), "default").text();
    let all = lines(&whole);
    let replay = |text: &str| File::new(text).replay(&[]);
    // Cut short anywhere: between lines and within.
    for kept in [1, 2, all.len() - 1] {
        let text = all[..kept].join("\n") + "\n";
        replay(&text).unreadable(&format!("cut short after {} entries", kept - 1));
        replay(&text[..text.len() - 7]).unreadable("cut short");
    }
    replay(&whole[..whole.len() - 1]).unreadable("cut short");
    for (text, words) in [
        (String::new(), "FILE:1: this is not a bundle"),
        ("{}\n".to_owned(), "FILE:1: this is not a bundle"),
        ("hello".to_owned(), "GET /_standin/log?format=bundle gives one"),
        (
            whole.replacen("\"format\":1", "\"format\":2", 1),
            "FILE:1: the bundle has format 2, this standin reads 1: replay it with the one that wrote it (standin 0.",
        ),
        (whole.clone() + "more\n", &*format!("FILE:{}: something stands behind", all.len() + 1)),
        (whole.replacen("\"entry\":2", "\"entry\":9", 1), "FILE:4: entry 3 stands behind entry 9"),
        (whole.replacen("{\"entry\":3", "{\"entri\":3", 1), "FILE:4: unknown field `entri`"),
        (whole.replacen("\"what\":", "\"what\"", 1), "FILE:2: expected `:`"),
        (whole.replacen("\"seed\":1", "\"seed\":-1", 1), "FILE:1: invalid value: integer `-1`"),
    ] {
        replay(&text).unreadable(words);
    }
    let missing = standin().args(["replay", "no-such.bundle"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("no-such.bundle cannot be read"));
}

/// Whoever writes a bundle himself is told what is wrong with its beginning.
#[test]
fn a_bundle_with_an_impossible_beginning_is_refused() {
    let whole = File::of(&story(&[]), "default").text();
    let most = u64::MAX;
    let worlds =
        |customer: &str| ("\"worlds\":null", format!("\"worlds\":{{\"reportei\":{{\"customer\":{{{customer}}}}}}}"));
    for ((old, new), words) in [
        (("\"position\":0", format!("\"position\":{most}")), "no log is as long as `position` says"),
        (("\"mode\":\"frozen\"", "\"mode\":\"still\"".to_owned()), "`still` is no way for a clock to move"),
        (("\"at\":\"2024-10-01T17:15:12Z\"", "\"at\":\"soon\"".to_owned()), "`soon` is not an instant"),
        (("\"sandbox\":\"default\"", "\"sandbox\":\"a.b\"".to_owned()), "a sandbox's id has 1 to 63"),
        (("\"worlds\":null", "\"worlds\":{}".to_owned()), "do not fit the pack `reportei`: they are missing"),
        (worlds("\"next\":[0,0]"), "`customer` has no `records`"),
        (worlds("\"records\":[]"), "`customer` has no `next`"),
        (worlds(&format!("\"next\":[{most},0],\"records\":[]")), "`customer` has no `next`"),
        (worlds("\"next\":[1,0],\"records\":[[0]]"), "a record of `customer` is not `[order, fields]`"),
        (
            worlds(&format!("\"next\":[1,0],\"records\":[[{most},{{}}]]")),
            "the orders of `customer` do not rise to its `next`",
        ),
        (worlds("\"next\":[1,0],\"records\":[[0,{}]]"), "`uuid` of a `customer` is missing"),
        (worlds("\"next\":[1,0],\"records\":[[0,{\"uid\":1}]]"), "a `customer` has no field `uid`"),
        (worlds("\"next\":[1,0],\"records\":[[0,{\"uuid\":1}]]"), "a `customer`: `uuid` is of type uuid, and 1 is not"),
    ] {
        let altered = whole.replacen(old, &new, 1);
        assert_ne!(altered, whole, "{old}");
        let said = File::new(sealed(&lines(&altered))).replay(&[]);
        assert!(said.code == 3 && said.errors.contains(words), "{new}: {words}: {said:?}");
    }
}

#[test]
fn packs_that_changed_since_are_named() {
    let bundle = File::of(&story(&[]), "default");
    let folder = tempfile::tempdir().unwrap();
    let [fixtures, schemas] = ["fixtures", "schemas"].map(|kind| {
        let to = folder.path().join(kind);
        copy(&repository(&format!("{kind}/reportei")), &to.join("reportei"));
        to
    });
    let arguments = ["--fixtures", fixtures.to_str().unwrap(), "--schemas", schemas.to_str().unwrap()];
    bundle.replay(&arguments).same();
    // What no answer shows is named, and is no difference.
    let operation = fixtures.join("reportei/customers/list.yaml");
    fs::write(&operation, fs::read_to_string(&operation).unwrap() + "# more\n").unwrap();
    let said = bundle.replay(&arguments);
    let note = "note: the pack `reportei` has changed since: fixtures/reportei/customers/list.yaml\n";
    assert!(said.same().contains(note), "{said:?}");
    // What an answer shows is both.
    replace(&fixtures.join("reportei/customers/create.yaml"), "days(7)", "days(8)");
    let said = bundle.replay(&arguments);
    said.differs("has changed since: fixtures/reportei/customers/create.yaml, fixtures/reportei/customers/list.yaml\n");
    said.differs("different: entry 1, POST /customers");
    said.differs("  body: `/customer/trial_ends_at` was \"2024-10-08 17:15:12\", is \"2024-10-09 17:15:12\"");
    // A pack that is not there, and one that is broken.
    let other = bundle.text().replace("\"reportei\"", "\"reporter\"");
    let said = File::new(sealed(&lines(&other))).replay(&[]);
    assert!(said.code == 3 && said.errors.contains("the bundle is about `reporter`: not here"), "{said:?}");
    replace(&fixtures.join("reportei/customers/create.yaml"), "days(8)", "dais(8)");
    let said = bundle.replay(&arguments);
    assert!(said.code == 3 && said.errors.contains("dais"), "{said:?}");
}

#[test]
fn a_part_of_a_log_is_no_bundle() {
    let server = story(&[]);
    for query in
        ["format=bundle&limit=3", "format=bundle&after=3", "format=bundle&secrets=mask", "format=har", "format="]
    {
        server.control("GET", &format!("/log?{query}"), None).problem(400, "format-invalid");
    }
}

/// Going back while others call: what is left of the log explains the records that are there.
#[test]
fn going_back_under_traffic_leaves_a_log_that_holds() {
    let server = Server::start(&["--threads", "4"]);
    let post =
        |path: &str, body: Json| server.call("POST", &format!("/_standin{path}"), &[JSON], body.to_string()).status;
    post("/snapshots", json!({ "name": "first" }));
    // Clients go on until it was gone back often enough, however quick they are.
    let back = AtomicU32::new(0);
    let often = || back.load(Ordering::Relaxed) > 5;
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|client| {
                let (server, often) = (&server, &often);
                scope.spawn(move || {
                    let mut chance = Chance::new(200 + client);
                    (0..6000).take_while(|done| *done < 60 || !often()).for_each(|_| {
                        call(&mut chance).to(server, "default");
                    });
                })
            })
            .collect();
        let mut chance = Chance::new(7);
        while clients.iter().any(|client| !client.is_finished()) {
            let next = server.control("GET", "/log?limit=1000", None).expect(200).json();
            let last = next["records"].as_array().unwrap().last().map_or(1, |entry| entry["entry"].as_u64().unwrap());
            let status = match chance.below(12) {
                0 => post("/snapshots/first/restore", json!({})),
                1 => post("/reset", json!({})),
                _ => post("/rewind", json!({ "to": last.saturating_sub(chance.below(10) as u64).max(1) })),
            };
            back.fetch_add(u32::from(status == 200), Ordering::Relaxed);
        }
        assert!(often(), "{back:?}");
    });
    call(&mut Chance::new(3)).to(&server, "default");
    File::of(&server, "default").replay(&[]).same();
}
