//! What happens by itself is part of a bundle: events whose time had come, attempts to deliver webhooks, and their outcomes.
//! The pack is the one of `tests/cases/format/told`, with a receiver of the test.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{File, Replayed, lines, sealed};
use crate::receiver::{Receiver, Say};
use crate::server::{JSON, Server, advance, eventually, standin};
use crate::support::{copy, replace, repository, text};
use crate::traffic::Chance;

/// A server of that pack, which tells one receiver.
pub(super) struct Courier {
    pub(super) receiver: Receiver,
    pub(super) server: Server,
    pub(super) folder: TempDir,
}

/// Attempts are made when something happens, and not ten seconds later.
pub(super) const AT_ONCE: (&str, &str, &str) = ("parcels/state.webhook.yaml", "after: 10 seconds\n", "");

impl Courier {
    /// At a frozen time.
    pub(super) fn frozen(receiver: Receiver, edits: &[(&str, &str, &str)], more: &[&str]) -> Courier {
        Courier::start(receiver, edits, &[&["--freeze"], more].concat())
    }

    /// With a pack in which texts of files are others.
    pub(super) fn start(receiver: Receiver, edits: &[(&str, &str, &str)], more: &[&str]) -> Courier {
        let folder = tempfile::tempdir().unwrap();
        copy(&repository("tests/cases/format/told"), folder.path());
        let pack = folder.path().join("fixtures/courier");
        let [parcels, archive] = ["/parcels", "/archive"].map(|path| receiver.url(path));
        let own = [
            ("pack.yaml", "http://127.0.0.1:9000/parcels", parcels.as_str()),
            ("pack.yaml", "http://127.0.0.1:9001/parcels", "the third bell"),
            ("parcels/audit.webhook.yaml", "http://127.0.0.1:9002/archive", archive.as_str()),
            ("parcels/state.webhook.yaml", "timeout: 5 seconds", "timeout: 1 second"),
        ];
        for (path, old, new) in own.iter().chain(edits) {
            replace(&pack.join(path), old, new);
        }
        let mut command = standin();
        command.current_dir(folder.path());
        command.args(["serve", "courier", "--port", "0", "--log", "off"]).args(more);
        Courier { receiver, server: Server::spawn(command), folder }
    }

    /// Sends a parcel; gives its id.
    pub(super) fn send(&self, sandbox: &str, sender: &str) -> String {
        let body = json!({ "sender": sender, "keep": true }).to_string();
        let sent = self.server.call("POST", &format!("/~{sandbox}/courier/parcels"), &[JSON], body);
        text(&sent.expect(201).json(), "id").to_owned()
    }

    pub(super) fn hook(&self, change: Json) {
        self.server.control("PATCH", "/state/courier/hook/h1", Some(change)).expect(200);
    }

    /// Has an event happen later; gives its number.
    pub(super) fn ask(&self, parcel: &str, after: &str) -> u64 {
        let asked = json!({ "pack": "courier", "event": "return", "input": { "id": parcel }, "after": after });
        let asked = self.server.control("POST", "/clock/agenda", Some(asked)).expect(201).json();
        asked["id"].as_u64().unwrap()
    }

    pub(super) fn post(&self, path: &str, body: Json) {
        self.server.control("POST", path, Some(body)).expect(200);
    }

    pub(super) fn records(&self, sandbox: &str, path: &str) -> Vec<Json> {
        let all = self.server.get(&format!("/~{sandbox}/_standin{path}?limit=1000")).expect(200).json();
        all["records"].as_array().unwrap().clone()
    }

    /// The ids of all deliveries, the oldest first.
    pub(super) fn deliveries(&self, sandbox: &str) -> Vec<String> {
        self.records(sandbox, "/webhooks").iter().map(|one| text(one, "id").to_owned()).collect()
    }

    pub(super) fn log(&self, sandbox: &str) -> Vec<Json> {
        self.records(sandbox, "/log")
    }

    /// Waits until the log of a sandbox tells of so many outcomes.
    pub(super) fn landed(&self, sandbox: &str, outcomes: usize) {
        let told = || self.log(sandbox).iter().filter(|entry| entry["kind"] == "outcome").count();
        eventually("the outcomes", || (told() >= outcomes).then_some(()));
    }

    pub(super) fn replay(&self, bundle: &File) -> Replayed {
        let [fixtures, schemas] = ["fixtures", "schemas"].map(|part| self.folder.path().join(part));
        bundle.replay(&["--fixtures", fixtures.to_str().unwrap(), "--schemas", schemas.to_str().unwrap()])
    }

    pub(super) fn replay_text(&self, text: &str) -> Replayed {
        self.replay(&File::new(sealed(&lines(text))))
    }

    #[track_caller]
    pub(super) fn same(&self, sandbox: &str) {
        self.replay(&File::of(&self.server, sandbox)).same();
    }
}

/// Deliveries that are taken, refused, broken off, hung up on and given up, with keys that change between attempts; events that
/// a pack has for its records, that somebody asked for, took back, or that cannot happen any more; what is redelivered.
pub(super) fn story(more: &[&str]) -> Courier {
    let answer = |status: u16| Say::answer(status, &[("X-Seen", "yes")], r#"{"seen":true}"#);
    let script = [answer(500), Say::Close, answer(200), Say::Hang, answer(404), Say::Bytes(b"nonsense".to_vec())];
    let courier = Courier::frozen(Receiver::new(script), &[], more);
    let server = &courier.server;
    let first = courier.send("default", "mill");
    courier.send("default", "forge");
    advance(server, "1m");
    courier.hook(json!({ "key": "another-key" }));
    advance(server, "30m");
    courier.ask(&first, "1d");
    let taken_back = courier.ask(&first, "2d");
    courier.ask("11111111-1111-4111-8111-111111111111", "25h");
    server.control("DELETE", &format!("/clock/agenda/{taken_back}"), None).expect(204);
    // Its receiver says nothing, refuses, and then talks nonsense.
    courier.send("default", "mill");
    advance(server, "1h");
    for id in courier.deliveries("default") {
        courier.post(&format!("/webhooks/{id}/redeliver"), json!({}));
    }
    courier.send("default", "mill");
    courier.hook(json!({ "wants": ["delivered"] }));
    advance(server, "3d");
    // The last attempt is made again, with another outcome.
    if let Some(last) = courier.log("default").iter().rfind(|entry| entry["kind"] == "outcome") {
        let heard = courier.receiver.heard().len();
        courier.receiver.then([answer(500)]);
        courier.post("/rewind", json!({ "to": last["entry"] }));
        courier.receiver.heard_when(heard + 1);
    }
    advance(server, "40d");
    courier
}

/// The values of all entries of a kind.
pub(super) fn told(bundle: &str, kind: &str) -> Vec<Json> {
    let values = bundle.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    values.filter_map(|line| line["what"].get(kind).cloned()).collect()
}

#[test]
fn the_log_replayed_reproduces_every_delivery_byte_for_byte() {
    let courier = story(&[]);
    let bundle = File::of(&courier.server, "default");
    let said = courier.replay(&bundle);
    let attempts = told(&bundle.text(), "attempt");
    let words =
        format!("{} attempts of webhooks among them, byte for byte, and the records at the end\n", attempts.len());
    assert!(said.same().ends_with(&words), "{words} {said:?}");

    // What the receiver heard stands there, in order; what was refused before it went out is not heard.
    let sent: Vec<&Json> = attempts.iter().map(|attempt| &attempt["result"]["sent"]).collect();
    let heard = courier.receiver.heard();
    let reached = sent.iter().filter(|sent| sent["url"].as_str().is_some_and(|url| url.starts_with("http")));
    let reached: Vec<&&Json> = reached.collect();
    assert_eq!(reached.len(), heard.len());
    for (sent, heard) in reached.into_iter().zip(&heard) {
        assert_eq!(sent["body"]["text"], heard.text());
        for header in sent["headers"].as_array().unwrap() {
            assert_eq!(header[1].as_str(), heard.header(header[0].as_str().unwrap()), "{header}");
        }
    }
    // All that can come of one is there, and two keys have signed the same body.
    let text = bundle.text();
    for kind in [
        "\"status\":500",
        "\"status\":200",
        "\"how\":\"timeout\"",
        "\"how\":\"broken\"",
        "\"how\":\"url\"",
        "\"givenUp\"",
    ] {
        assert!(text.contains(kind), "{kind}: {text}");
    }
    assert!(text.contains("\"refused\":\"parcel: "), "{text}");
    let of_first = |place: usize| heard[place].header("x-courier-signature").unwrap().to_owned();
    assert_eq!(heard[0].body, heard[1].body);
    assert_ne!(of_first(0), of_first(1));
}

/// Whatever is altered in what happened by itself is found, also when the digests of the whole are made true again.
#[test]
fn whatever_is_altered_of_a_delivery_is_found() {
    let courier = story(&[]);
    let bundle = File::of(&courier.server, "default").text();
    let all = lines(&bundle);
    let (mut seen, mut altered) = (BTreeSet::new(), 0);
    for (place, line) in all.iter().enumerate().skip(1) {
        let entry: Json = serde_json::from_str(line).unwrap();
        let what = &entry["what"];
        if what["event"]["scheduled"].is_null() && what["attempt"].is_null() && what["outcome"].is_null() {
            continue;
        }
        let mut leaves = Vec::new();
        let root = if what["event"].is_null() { "/what" } else { "/what/event" };
        collect(entry.pointer(root).unwrap(), root.to_owned(), &mut leaves);
        // One entry of each shape.
        if !seen.insert(leaves.clone()) {
            continue;
        }
        leaves.push("/at".to_owned());
        for leaf in leaves {
            let mut other = entry.clone();
            other.pointer_mut(&leaf).map(alter).unwrap();
            let mut rest = all.clone();
            rest[place] = other.to_string();
            let said = courier.replay(&File::new(sealed(&rest)));
            assert!(matches!(said.code, 1 | 3), "{leaf} of {line}: {said:?}");
            altered += 1;
        }
    }
    assert!(seen.len() >= 6 && altered > 60, "{} shapes, {altered} values", seen.len());
}

/// The pointers of all values that have no parts.
fn collect(value: &Json, pointer: String, leaves: &mut Vec<String>) {
    match value {
        Json::Object(members) => members.iter().for_each(|(name, value)| {
            collect(value, format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), leaves);
        }),
        Json::Array(items) => {
            (0..).zip(items).for_each(|(index, item): (u32, _)| collect(item, format!("{pointer}/{index}"), leaves));
        }
        _ => leaves.push(pointer),
    }
}

fn alter(value: &mut Json) {
    *value = match &*value {
        Json::String(text) => format!("{text}x").into(),
        Json::Number(number) => (number.as_u64().unwrap() + 1).into(),
        Json::Bool(flag) => (!flag).into(),
        other => panic!("{other}"),
    };
}

#[test]
fn the_first_difference_of_a_delivery_is_named() {
    let courier = story(&[]);
    let bundle = File::of(&courier.server, "default").text();
    for (old, new, words) in [
        (
            "\"x-courier-hook\",\"h1\"",
            "\"x-courier-hook\",\"h9\"",
            "  header: it was `x-courier-hook: h9`, it is `x-courier-hook: h1`",
        ),
        (
            "\"x-courier-signature\",\"v1=",
            "\"x-courier-signature\",\"v2=",
            "  header: it was `x-courier-signature: v2=",
        ),
        ("/parcels\",\"headers\"", "/parcel\",\"headers\"", "  url: it was http://127.0.0.1:"),
        ("\"timeoutMillis\":1000", "\"timeoutMillis\":999", "  timeout: it was 999 ms, it is 1000 ms"),
        ("\\\"state\\\":\\\"delivered\\\"", "\\\"state\\\":\\\"lost\\\"", "state` was \"lost\", is \"delivered\""),
        (
            "{\"givenUp\":\"`",
            "{\"givenUp\":\"No: `",
            "  attempt: it was given up: No: `parcel.state in hook.wants` does not hold any more, it is given up: `",
        ),
        ("\"status\":500,", "\"status\":201,", "  next: it was "),
        ("\"refused\":\"parcel: ", "\"refused\":\"no parcel: ", "  refusal: it was no parcel: "),
        ("\"door\":1", "\"door\":2", "  input: `/door` was 2, is 1"),
        ("\"attempt\":2,\"outcome\"", "\"attempt\":7,\"outcome\"", "  no such attempt is under way"),
        (
            "\"tookMicros\":",
            "\"tookMicros\":1",
            "different: what is to happen at the end, or went out: something that changed it is not",
        ),
        (
            "\"DELETE\",\"path\":\"/clock/agenda/",
            "\"DELETE\",\"path\":\"/clock/agenda/99",
            "  it is refused: nobody has asked for an event 99",
        ),
        ("\"path\":\"/webhooks/", "\"path\":\"/webhooks/x", "  it is refused: there is no delivery `x"),
    ] {
        let altered = bundle.replacen(old, new, 1);
        assert_ne!(altered, bundle, "{old}");
        courier.replay_text(&altered).differs(words);
    }
}

/// Entries belong where they stand.
#[test]
fn an_entry_that_happened_by_itself_is_missed_and_in_its_place() {
    let courier = story(&[]);
    let all = File::of(&courier.server, "default").text();
    let (attempts, all) = (told(&all, "attempt"), lines(&all));
    let is = |line: &str, kind: &str| line.contains(&format!("\"what\":{{\"{kind}\""));
    let (mut taken, mut swapped) = (0, 0);
    for place in 1..all.len() - 1 {
        let line = &all[place];
        if is(line, "attempt") || is(line, "outcome") || line.contains("\"scheduled\":{") || is(line, "setting") {
            let mut rest = all.clone();
            rest.remove(place);
            let said = courier.replay(&File::new(sealed(&rest)));
            // Of an attempt that was taken back nothing is left.
            let entry: Json = serde_json::from_str(line).unwrap();
            let made = |line: &Json| [line["delivery"].clone(), line["attempt"].clone()];
            let again = attempts.iter().filter(|other| made(other) == made(&entry["what"]["attempt"])).count() > 1;
            assert_eq!(said.code, i32::from(!again), "{line}");
            taken += 1;
        }
        if is(line, "attempt") && is(&all[place + 1], "outcome") && swapped < 5 {
            let mut other = all.clone();
            let [one, next] = [place, place + 1].map(|place| serde_json::from_str::<Json>(&all[place]).unwrap());
            let with = |entry: &Json, number: &Json| {
                let mut entry = entry.clone();
                entry["entry"] = number.clone();
                entry.to_string()
            };
            other[place] = with(&next, &one["entry"]);
            other[place + 1] = with(&one, &next["entry"]);
            courier.replay(&File::new(sealed(&other))).differs("  no such attempt is under way");
            swapped += 1;
        }
    }
    assert!(taken > 30 && swapped == 5, "{taken}, {swapped}");
}

/// A bundle with what was to happen when the log begins, altered in one place.
struct Altered {
    all: Vec<String>,
    head: Json,
}

impl Altered {
    fn of(bundle: &str) -> Altered {
        let all = lines(bundle);
        Altered { head: serde_json::from_str(&all[0]).unwrap(), all }
    }

    /// `at` stands below `agenda`.
    #[track_caller]
    fn with(&self, at: &str, value: Json) -> File {
        let (mut head, mut all) = (self.head.clone(), self.all.clone());
        let place = head["start"]["agenda"].pointer_mut(at).unwrap_or_else(|| panic!("no {at} in {}", self.head));
        *place = value;
        all[0] = head.to_string();
        File::new(sealed(&all))
    }
}

/// Whoever writes a bundle himself is told what is wrong with what was to happen.
#[test]
fn an_impossible_agenda_is_refused() {
    let courier = story(&["--max-journal-entries", "8"]);
    courier.ask("11111111-1111-4111-8111-111111111111", "1d");
    let bundle = File::of(&courier.server, "default").text();
    courier.replay_text(&bundle).same();
    let altered = Altered::of(&bundle);
    let agenda = &altered.head["start"]["agenda"];
    let deliveries = agenda["deliveries"].as_array().unwrap();
    let tried = deliveries.iter().position(|one| one["attempts"].as_array().unwrap().len() > 1).unwrap();
    let tied = |event: &str, number: u32| {
        let what = json!({ "tied": { "event": event, "id": "a" } });
        json!({ "at": "2024-10-01T00:00:00Z", "number": number, "pack": "courier", "what": what, "depth": 0 })
    };
    let failed = json!({ "failed": { "how": "bored", "why": "" } });
    let answered = json!({ "answered": { "status": 99, "headers": [], "body": { "text": "" }, "cut": false } });
    for (at, value, words) in [
        ("/next", json!(-1), "integer `-1`"),
        ("/next", json!(1_u64 << 61), "nothing has so many things as `next` says"),
        ("/next", json!(0), "the numbers of deliveries do not rise to `next`"),
        ("/things", json!([{}]), "missing field `at`"),
        ("/things", json!([tied("vanish", 0)]), "the pack `courier` has no event `vanish` that happens by itself"),
        ("/things", json!([tied("return", 0), tied("return", 1)]), "`courier/return` stands there twice for `a`"),
        ("/things", json!([tied("return", 1), tied("deliver", 1)]), "1 is not the number of one thing alone"),
        ("/things", json!([tied("return", 1 << 30)]), "or not below `next`"),
        ("/deliveries/1/id", deliveries[0]["id"].clone(), "two deliveries have the id"),
        ("/deliveries/1/number", json!(0), "the numbers of deliveries do not rise"),
        ("/deliveries/0/pack", json!("mail"), "the bundle is not about the pack `mail`"),
        ("/deliveries/0/media", json!("application/jason"), "has a body of no type: `application/jason`"),
        ("/deliveries/0/body", json!({ "base64": "?" }), "`base64` is no Base64"),
        ("/deliveries/0/made", json!("soon"), "`soon` is not an instant"),
        ("/deliveries/0/state", json!("sending"), "and it is `sending`"),
        ("/deliveries/0/state", json!("lost"), "unknown variant `lost`"),
        ("/deliveries/T/attempts/1/number", json!(1), "the numbers of the attempts of the delivery"),
        ("/deliveries/T/attempts/1/place", json!(1_u64 << 50), "has a `place` that is not below `next`"),
        ("/deliveries/T/attempts/1/headers/0", json!(["a b", "c"]), "`a b` is not a header that can be sent"),
        ("/deliveries/T/attempts/0/outcome/0", failed, "`bored` is no way in which an attempt fails"),
        ("/deliveries/T/attempts/0/outcome/0", answered, "99 is no status of an answer"),
    ] {
        let file = altered.with(&at.replace('T', &tried.to_string()), value);
        let said = courier.replay(&file);
        assert!(said.code == 3 && said.errors.contains(words), "{at}: {words}: {said:?}");
    }
    // Whatever stands there, it is refused or done, and nothing breaks.
    let mut leaves = Vec::new();
    collect(agenda, String::new(), &mut leaves);
    let mut chance = Chance::new(5);
    let values = [json!(u32::MAX), json!(1_u64 << 59), json!(""), json!([]), json!(true), json!(null)];
    for _ in 0..60 {
        let (leaf, value) = (chance.of(&leaves), chance.of(&values));
        let said = courier.replay(&altered.with(leaf, value.clone()));
        assert!(matches!(said.code, 0 | 1 | 3), "{leaf}: {value}: {said:?}");
    }
}
