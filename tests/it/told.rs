//! Webhooks and schedules of a pack: as the control plane shows them, and as `check` replays their payloads. The pack is
//! the one of `tests/cases/format/told`.

use serde_json::json;

use crate::server::{Server, standin};
use crate::support::{self, keys};

const PACK: &str = "tests/cases/format/told";

fn start() -> Server {
    let mut command = standin();
    command.args(["serve", "--port", "0", "--log", "off", "--freeze", "courier"]);
    command.current_dir(support::repository(PACK));
    Server::spawn(command)
}

#[test]
fn a_pack_lists_its_webhooks() {
    let server = start();
    let pack = server.get("/_standin/packs/courier").expect(200).json();
    let [audit, state] = pack["webhooks"].as_array().unwrap().as_slice() else { panic!("{pack:#}") };
    let known = "name title description provenance at on unsent headers signature after retries timeout examples";
    assert_eq!(keys(state), known.split(' ').collect::<Vec<_>>());
    assert_eq!(state["on"], json!([{ "create": "parcel" }, { "update": "parcel" }]));
    assert_eq!((&state["name"], &state["title"]), (&json!("state"), &json!("A parcel changes its state")));
    assert_eq!(state["provenance"], json!({ "contract": "documented", "docs": "hooks.md#states" }));
    assert_eq!(state["at"], "fixtures/courier/parcels/state.webhook.yaml:1");
    assert_eq!((&state["after"], &state["retries"]), (&json!("10s"), &json!(["2m", "4m"])));
    assert_eq!((&state["timeout"], &state["unsent"]), (&json!("5s"), &json!("pigeon")));
    let paths: Vec<&str> =
        state["examples"].as_array().unwrap().iter().map(|shown| support::text(shown, "path")).collect();
    assert_eq!(paths, ["parcels/state.payload.json", "parcels/state.payload.unsent.json"]);
    assert_eq!(state["headers"], json!(["x-courier-hook", "x-courier-attempt"]));
    let signature = json!({
        "header": "x-courier-signature",
        "algorithm": "hmac-sha256",
        "encoding": "hex",
        "input": "delivery.id ~ \".\" ~ payload",
    });
    assert_eq!((&state["signature"], &audit["signature"]), (&signature, &json!(null)));
    // A signature of the body alone.
    let hubster = Server::start(&["hubster"]).get("/_standin/packs/hubster").expect(200).json();
    for webhook in hubster["webhooks"].as_array().unwrap() {
        assert_eq!(webhook["signature"]["input"], "payload", "{webhook:#}");
    }
    // What is not said.
    assert_eq!(audit["headers"], json!([]));
    assert_eq!(audit["on"], json!([{ "event": "deliver" }, { "event": "return" }]));
    assert_eq!((&audit["after"], &audit["retries"], &audit["timeout"]), (&json!("0s"), &json!([]), &json!("10s")));
    assert_eq!((&audit["unsent"], &audit["provenance"]["contract"]), (&json!(null), &json!("assumed")));
}

#[test]
fn events_tell_when_they_happen_by_themselves() {
    let server = start();
    let events = server.get("/_standin/events").expect(200).json();
    let deliver = json!({ "of": "parcel", "when": "record.state == \"sent\"", "after": "48h", "at": null });
    let instant = "record.keep_until if record.keep_until is defined else null";
    let back = json!({ "of": "parcel", "when": null, "after": null, "at": instant });
    assert_eq!(events["records"][0]["schedule"], deliver, "{events:#}");
    assert_eq!(events["records"][1]["schedule"], back, "{events:#}");

    let pack = server.get("/_standin/packs/courier").expect(200).json();
    let named = |event: &str, schedule: &serde_json::Value| {
        let mut named = schedule.clone();
        named["event"] = json!(event);
        named
    };
    assert_eq!(pack["schedules"], json!([named("deliver", &deliver), named("return", &back)]));
    assert_eq!(keys(&pack["schedules"][0]), ["event", "of", "when", "after", "at"]);
}

/// In which file of the pack which text is replaced by which.
type Change<'a> = (&'a str, &'a str, &'a str);

/// What `check` says of a copy of the pack that is changed so.
#[track_caller]
fn checked(changes: &[Change<'_>], more: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    support::copy(&support::repository(PACK), folder.path());
    for (file, old, new) in changes {
        let tree = if file.starts_with("schemas/") { "" } else { "fixtures/courier/" };
        support::replace(&folder.path().join(tree).join(file), old, new);
    }
    let output = standin().args(["check", "courier"]).args(more).current_dir(folder.path()).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_payload_that_is_not_as_documented_is_found() {
    let cases: &[(&[Change<'_>], &str)] = &[
        // Another thing goes out, or to somebody else, or to nobody.
        (&[("parcels/state.payload.json", "It is on its way", "It went off")], "`/words` is \"It is on its way\""),
        (
            &[("parcels/state.payload.unsent.json", "\"delivered\"", "\"delivered\", \"by\": 1")],
            "`/parcel/by` is documented and missing",
        ),
        (&[("parcels/state.payload.yaml", "hook: h1", "hook: h3")], "the header `x-courier-hook` is `h1`, documented"),
        (&[("parcels/state.payload.yaml", "v1=35", "v1=53")], "the header `x-courier-signature` is `v1=354b8d"),
        (
            &[("parcels/state.payload.yaml", "cause:", "to: http://127.0.0.1:9009/\ncause:")],
            "nobody is told under this",
        ),
        (&[("parcels/state.payload.unsent.yaml", "to: null\n", "")], "several are told, so that `to` must say which"),
        (
            &[("parcels/state.payload.unsent.yaml", "to: null", "to: null\nheaders: { x-courier-hook: h2 }")],
            "this delivery is not sent",
        ),
        (
            &[("parcels/state.webhook.yaml", "parcel.state in hook.wants", "parcel.state == 'lost'")],
            "nobody is told anything by this webhook",
        ),
        (&[("parcels/state.webhook.yaml", "\"v1=\" ~", "\"v2=\" ~")], "is `v2=354b8d"),
        // The cause does not happen.
        (&[("parcels/audit.payload.yaml", "id: 5f0e5b0c", "id: 6f0e5b0c")], "the event does not happen: parcel: "),
        (
            &[("parcels/state.payload.yaml", "parcels/send", "parcels/send\n  body: { sender: 7 }")],
            "documented is a success",
        ),
        // The key is no such text.
        (
            &[("parcels/state.webhook.yaml", "  encoding: hex", "  key-encoding: hex\n  encoding: hex")],
            "the first attempt is not made: the header `x-courier-signature` cannot be signed",
        ),
        (
            &[
                ("pack.yaml", "It is there", "It is there and safe"),
                ("schemas/courier/state.json", "\"words\": { \"type\"", "\"words\": { \"maxLength\": 16, \"type\""),
            ],
            "what a webhook sends does not fit its schema: `/words`",
        ),
    ];
    for (changes, culprit) in cases {
        let (exit, out) = checked(changes, &[]);
        assert_eq!(exit, Some(1), "{changes:?}: {out}");
        assert!(out.contains(culprit), "{culprit}: {out}");
    }
}

#[test]
fn what_no_payload_would_notice_is_found_by_alterations() {
    let cases: &[(Change<'_>, &str)] = &[
        (
            ("parcels/audit.webhook.yaml", "sent_at: = now", "sent_at: \"2024-10-03T17:15:12Z\""),
            "`/sent_at` is \"2024-10-03T17:15:12Z\" whatever is sent",
        ),
        (
            ("parcels/audit.payload.yaml", "cause:", "fragment: It is a part.\ncause:"),
            "no payload shows what `audit` sends",
        ),
        (("parcels/audit.webhook.yaml", "  schema: parcel\n", ""), "the body of `audit` has no `schema`"),
        (
            ("schemas/courier/state.json", "[\"delivery\", \"parcel\", \"words\"]", "[\"delivery\", \"parcel\"]"),
            "the schema allows an answer without `/words`",
        ),
        (
            ("parcels/state.payload.yaml", "constant:", "constant:\n  /delivery: It is always this one."),
            "`/delivery` is declared `constant`, and it follows",
        ),
    ];
    for (change, culprit) in cases {
        let (exit, out) = checked(&[*change], &[]);
        assert_eq!(exit, Some(0), "{change:?}: {out}");
        let (exit, out) = checked(&[*change], &["--mutate"]);
        assert_eq!(exit, Some(1), "{change:?}: {out}");
        assert!(out.contains(culprit), "{culprit}: {out}");
    }
}
