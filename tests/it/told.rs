//! Webhooks and schedules of a pack, as the control plane shows them. The pack is the one of `tests/cases/format/told`.

use serde_json::json;

use crate::server::{Server, standin};
use crate::support::{self, keys};

fn start() -> Server {
    let mut command = standin();
    command.args(["serve", "--port", "0", "--log", "off", "--freeze", "courier"]);
    command.current_dir(support::repository("tests/cases/format/told"));
    Server::spawn(command)
}

#[test]
fn a_pack_lists_its_webhooks() {
    let server = start();
    let pack = server.get("/_standin/packs/courier").expect(200).json();
    let [audit, state] = pack["webhooks"].as_array().unwrap().as_slice() else { panic!("{pack:#}") };
    let known = ["name", "title", "description", "provenance", "at", "on", "unsent", "after", "retries", "timeout"];
    assert_eq!(keys(state), known);
    assert_eq!(state["on"], json!([{ "create": "parcel" }, { "update": "parcel" }]));
    assert_eq!((&state["name"], &state["title"]), (&json!("state"), &json!("A parcel changes its state")));
    assert_eq!(state["provenance"], json!({ "contract": "documented", "docs": "hooks.md#states" }));
    assert_eq!(state["at"], "fixtures/courier/parcels/state.webhook.yaml:1");
    assert_eq!((&state["after"], &state["retries"]), (&json!("10s"), &json!(["2m", "4m"])));
    assert_eq!((&state["timeout"], &state["unsent"]), (&json!("5s"), &json!("pigeon")));
    // What is not said.
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
