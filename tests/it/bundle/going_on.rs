//! A log goes on with what was pending: when its beginning is gone, when its pack is edited, when somebody goes back.

use std::fs;

use serde_json::{Value as Json, json};

use super::File;
use super::by_itself::{AT_ONCE, Courier, story, told};
use crate::receiver::{Receiver, Say};
use crate::server::{JSON, advance, eventually};
use crate::support::replace;
use crate::traffic::Chance;

/// What had to make room is replaced by what was to happen then and had gone out, attempts under way among it.
#[test]
fn deliveries_go_on_in_a_log_whose_beginning_is_gone() {
    for most in ["1", "3", "8", "21"] {
        let courier = story(&["--max-journal-entries", most]);
        let bundle = File::of(&courier.server, "default");
        assert!(bundle.text().lines().next().unwrap().contains("\"agenda\":{\"next\":"), "{most}");
        courier.replay(&bundle).same();
    }
    // The agenda is not there for show.
    let courier = story(&["--max-journal-entries", "8"]);
    let bundle = File::of(&courier.server, "default").text();
    let other = bundle.replacen("\"evicted\":", "\"evicted\":1", 1);
    courier.replay_text(&other).differs("different: what is to happen at the end");
}

/// What found no room on the agenda finds none again.
#[test]
fn what_found_no_room_finds_none_again() {
    let courier = Courier::frozen(Receiver::new([]), &[], &["--max-agenda", "3"]);
    for _ in 0..4 {
        courier.send("default", "mill");
        advance(&courier.server, "2s");
    }
    advance(&courier.server, "1h");
    let bundle = File::of(&courier.server, "default");
    let dropped = courier.server.control("GET", "/webhooks?state=dropped", None).expect(200).json();
    assert!(dropped["total"].as_u64().unwrap() > 0, "{dropped}");
    courier.replay(&bundle).same();
    let roomy = bundle.text().replacen("\"agenda\":{\"things\":3,", "\"agenda\":{\"things\":4,", 1);
    assert_ne!(roomy, bundle.text());
    courier.replay_text(&roomy).differs("different: ");
}

/// A pack that is edited while deliveries are pending and under way: a bundle begins behind the edit, with what was to happen
/// then.
#[test]
fn a_bundle_behind_an_edit_has_what_was_to_happen() {
    let courier = Courier::frozen(Receiver::new([Say::status(500), Say::held(200)]), &[], &[]);
    let first = courier.send("default", "mill");
    courier.ask(&first, "6h");
    courier.send("default", "forge");
    advance(&courier.server, "1m");
    let waiting = std::thread::scope(|scope| {
        scope.spawn(|| advance(&courier.server, "1h"));
        courier.receiver.heard_when(2);
        let webhook = courier.folder.path().join("fixtures/courier/parcels/state.webhook.yaml");
        replace(&webhook, "x-courier-hook: = hook.id", "x-courier-hook: = hook.id ~ \"!\"");
        courier.post("/reload", json!({}));
        let waiting = File::of(&courier.server, "default");
        courier.receiver.release();
        waiting
    });
    assert!(waiting.text().lines().next().unwrap().contains("\"state\":\"sending\""), "{}", waiting.text());
    courier.replay(&waiting).same();
    courier.send("default", "mill");
    advance(&courier.server, "60d");
    let bundle = File::of(&courier.server, "default");
    assert!(bundle.text().contains("[\"x-courier-hook\",\"h1!\"]"), "{}", bundle.text());
    courier.replay(&bundle).same();
    // A webhook that is gone gives up what it had to say.
    courier.send("default", "mill");
    let files = courier.folder.path().join("fixtures/courier/parcels");
    for file in fs::read_dir(&files).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if let Some(rest) = name.strip_prefix("state.") {
            fs::rename(files.join(&name), files.join(format!("news.{rest}"))).unwrap();
        }
    }
    replace(&files.join("news.webhook.yaml"), "like: state.payload.json", "like: news.payload.json");
    courier.post("/reload", json!({}));
    courier.same("default");
    advance(&courier.server, "1h");
    let bundle = File::of(&courier.server, "default");
    assert!(bundle.text().contains("the pack has no webhook `state` any more"), "{}", bundle.text());
    courier.replay(&bundle).same();
}

/// Whoever goes back while an attempt is under way has it made again, and so has a replay.
#[test]
fn attempts_that_were_taken_back_are_made_again() {
    let courier = Courier::frozen(Receiver::new(vec![Say::held(200); 5]), &[AT_ONCE], &[]);
    let (server, heard) = (&courier.server, |count| courier.receiver.heard_when(count));
    courier.send("default", "mill");
    heard(1);
    courier.same("default");
    server.control("POST", "/sandboxes", Some(json!({ "id": "fork", "from": "default" }))).expect(201);
    heard(2);
    courier.same("fork");
    server.control("POST", "/snapshots", Some(json!({ "name": "under-way" }))).expect(201);
    courier.send("default", "mill");
    heard(3);
    let log = courier.log("default");
    let second = log.iter().rfind(|entry| entry["kind"] == "exchange").unwrap();
    courier.post("/rewind", json!({ "to": second["entry"] }));
    heard(4);
    courier.same("default");
    courier.post("/snapshots/under-way/restore", json!({}));
    heard(5);
    courier.same("default");
    (0..5).for_each(|_| courier.receiver.release());
    for sandbox in ["default", "fork"] {
        courier.landed(sandbox, 1);
        let bundle = File::of(server, sandbox);
        // Made twice, and heard of once.
        let numbers = |kind| told(&bundle.text(), kind).iter().map(|one| one["attempt"].clone()).collect::<Vec<_>>();
        assert_eq!((numbers("attempt"), numbers("outcome")), (vec![json!(1), json!(1)], vec![json!(1)]));
        courier.replay(&bundle).same();
    }
}

/// When an attempt was taken back is not in the log, and does not matter: other things may happen before it is made again.
#[test]
fn what_happens_between_an_attempt_and_its_return_is_done_again() {
    between(&[], Room::Enough);
    // What was taken back has its place: with it there is none for the next.
    between(&["--max-agenda", "6"], Room::None);
}

#[derive(PartialEq)]
enum Room {
    Enough,
    None,
}

fn between(more: &[&str], room: Room) {
    let courier = Courier::frozen(Receiver::new([Say::status(500), Say::held(200)]), &[AT_ONCE], more);
    let server = &courier.server;
    courier.send("default", "mill");
    courier.landed("default", 1);
    let redeliver = format!("/webhooks/{}/redeliver", courier.deliveries("default")[0]);
    std::thread::scope(|scope| {
        // One that is none of the plan is under way when time is set back, and the sandbox then.
        scope.spawn(|| server.control("POST", &redeliver, None));
        courier.receiver.heard_when(2);
        server.control("PUT", "/clock", Some(json!({ "now": "2024-09-30T00:00:00Z" }))).expect(200);
        courier.hook(json!({ "key": "another" }));
        courier.post("/rewind", json!({ "to": courier.log("default").last().unwrap()["entry"] }));
        courier.same("default");
        courier.send("default", "mill");
        if room == Room::Enough {
            courier.landed("default", 2);
            courier.same("default");
            courier.receiver.then([Say::status(404)]);
            courier.post(&redeliver, json!({}));
        }
        courier.same("default");
        courier.receiver.release();
    });
    advance(server, "1d");
    let before = told(&File::of(server, "default").text(), "attempt").len();
    courier.same("default");
    advance(server, "1d");
    let bundle = File::of(server, "default");
    assert!(told(&bundle.text(), "attempt").len() > before, "{}", bundle.text());
    courier.replay(&bundle).same();
}

/// Whatever is done, in whatever order, with answers of all kinds, and going back while attempts are under way.
#[test]
fn the_log_explains_whatever_happened_by_itself() {
    let (mut explained, mut back) = (0, 0);
    for seed in 0..6 {
        let mut chance = Chance::new(seed);
        let says = [Say::status(200), Say::status(500), Say::status(404), Say::Close];
        let script: Vec<Say> = (0..2000).map(|_| chance.of(&says).clone()).collect();
        let edits: &[_] = if seed % 2 == 0 { &[AT_ONCE] } else { &[] };
        let bounds: &[&str] = match seed % 3 {
            0 => &[],
            1 => &["--max-journal-entries", "40", "--max-agenda", "7"],
            _ => &["--max-journal-entries", "9"],
        };
        let courier = Courier::frozen(Receiver::new(script), edits, bounds);
        let (mut sandbox, mut forks, mut parcels) = ("default".to_owned(), 0, Vec::new());
        for step in 0..120 {
            let call = |method: &str, path: &str, body: Json| {
                let answer =
                    courier.server.call(method, &format!("/~{sandbox}/_standin{path}"), &[JSON], body.to_string());
                assert!(answer.status < 500, "{method} {path}: {answer}");
                answer.status
            };
            match chance.below(18) {
                0..5 => {
                    let sender = *chance.of(&["mill", "mill", "forge"]);
                    parcels.push(courier.send(&sandbox, sender));
                }
                5..8 => {
                    let by = chance.of(&["1s", "10s", "2m", "1h", "2d"]);
                    call("POST", "/clock/advance", json!({ "by": by }));
                }
                8 => {
                    let change = match chance.below(3) {
                        0 => json!({ "wants": ["sent"] }),
                        1 => json!({ "wants": ["sent", "delivered"] }),
                        _ => json!({ "key": format!("key-{step}") }),
                    };
                    call("PATCH", "/state/courier/hook/h1", change);
                }
                9 if !parcels.is_empty() => {
                    let (parcel, after) = (chance.of(&parcels), chance.of(&["0s", "30s", "5m", "3d"]));
                    let asked =
                        json!({ "pack": "courier", "event": "return", "input": { "id": parcel }, "after": after });
                    call("POST", "/clock/agenda", asked);
                }
                10 => {
                    let agenda = courier.records(&sandbox, "/clock/agenda");
                    if let Some(thing) = agenda.iter().find(|thing| thing["input"].is_object()) {
                        call("DELETE", &format!("/clock/agenda/{}", thing["id"]), json!({}));
                    }
                }
                11 | 12 => {
                    let known = courier.deliveries(&sandbox);
                    if !known.is_empty() {
                        call("POST", &format!("/webhooks/{}/redeliver", chance.of(&known)), json!({}));
                    }
                }
                13 => {
                    call("POST", "/snapshots", json!({ "name": format!("s{}", chance.below(3)) }));
                }
                14 => {
                    let name = format!("/snapshots/s{}/restore", chance.below(3));
                    back += i32::from(call("POST", &name, json!({})) == 200);
                }
                15 => {
                    let log = courier.log(&sandbox);
                    if !log.is_empty() {
                        let to = &log[log.len() - 1 - chance.below(log.len().min(10))]["entry"];
                        back += i32::from(call("POST", "/rewind", json!({ "to": to })) == 200);
                    }
                }
                16 => {
                    let now = courier.server.get(&format!("/~{sandbox}/_standin/clock")).json()["now"].clone();
                    let set = if chance.below(2) == 0 {
                        json!({ "mode": chance.of(&["ticking", "frozen"]) })
                    } else {
                        json!({ "now": now.as_str().unwrap().replacen("2024-1", "2024-0", 1) })
                    };
                    call("PUT", "/clock", set);
                }
                _ if forks < 3 => {
                    forks += 1;
                    let fork = format!("fork-{forks}");
                    let own = if forks == 2 { json!(7) } else { json!(null) };
                    let mut made = json!({ "id": fork, "from": sandbox });
                    if own.is_number() {
                        made["seed"] = own;
                    }
                    courier.server.control("POST", "/sandboxes", Some(made)).expect(201);
                    sandbox = fork;
                }
                _ => {}
            }
            if step % 20 == 19 {
                let bundle = File::of(&courier.server, &sandbox);
                let said = courier.replay(&bundle);
                assert!(said.code == 0, "seed {seed}, step {step}: {said:?}\n{}", bundle.text());
                explained += told(&bundle.text(), "attempt").len();
            }
        }
    }
    assert!(explained > 100 && back > 30, "{explained} attempts, back {back} times");
}

/// What seed records have happen is counted from the first instant, and not from the first entry.
#[test]
fn events_of_seed_records_have_the_instants_that_they_had() {
    let parcel =
        "{ id: 0c1f3a52-7d0e-4a52-9f4b-2f6f2f9d6a11, sender: mill, state: sent, sent_at: \"2024-10-01T00:00:00Z\" }";
    let records = format!("    seed: {{ records: [{parcel}] }}\n  hook:\n");
    let edits = [("pack.yaml", "  hook:\n", records.as_str())];
    let courier = Courier::start(Receiver::new([]), &edits, &[]);
    courier.same("default");
    // The clock ticks, and a while goes by before the first call.
    let begun = courier.server.control("GET", "/clock", None).json()["now"].clone();
    eventually("the clock to tick", || {
        (courier.server.control("GET", "/clock", None).json()["now"] != begun).then_some(())
    });
    courier.send("default", "mill");
    courier.same("default");
    advance(&courier.server, "3d");
    let bundle = File::of(&courier.server, "default");
    assert_eq!(told(&bundle.text(), "event").len(), 2, "{}", bundle.text());
    courier.replay(&bundle).same();
}
