//! Records stay when their pack changes, and what has no place any more is kept aside.

use super::*;

fn shop() -> (Shop, Server) {
    let shop = Shop::new();
    let server = shop.serve(&["shop", "--watch", "off"]);
    (shop, server)
}

/// What the default sandbox has aside.
#[track_caller]
fn aside(server: &Server) -> Vec<Json> {
    let state = server.control("GET", "/reload", None).expect(200).json();
    let mut all = state["misfits"].as_array().unwrap().iter();
    let own = all.find(|one| one["sandbox"] == "default");
    own.map(|own| own["misfits"].as_array().unwrap().clone()).unwrap_or_default()
}

#[track_caller]
fn live(server: &Server) {
    assert_eq!(look(server), json!(["shop"]));
    let standing = standing(server, "shop");
    assert_eq!(standing["state"], "live", "{standing:#}");
}

#[test]
fn records_of_a_changed_sandbox_stay_and_an_untouched_one_begins_anew() {
    let (shop, server) = shop();
    server.control("POST", "/sandboxes", Some(json!({ "id": "used" }))).expect(201);
    let made = create(&server, "/~used", "Chair", 5).expect(201).json();
    shop.edit("items/list.200.json", "\"name\": \"Lamp\"", "\"name\": \"Torch\"");
    live(&server);
    assert_eq!(standing(&server, "shop")["seeds"], true);
    let name = |sandbox: &str| {
        let list = server.call("GET", &format!("{sandbox}/shop/items"), &[FIRST], "").expect(200).json();
        list["items"][0]["name"].clone()
    };
    assert_eq!((name(""), name("/~used")), (json!("Torch"), json!("Lamp")));
    let path = format!("/~used/shop/items/{}", made["id"].as_str().unwrap());
    assert_eq!(server.call("GET", &path, &[FIRST], "").expect(200).json(), made);
    server.call("POST", "/~used/_standin/reset", &[], "").expect(200);
    assert_eq!(name("/~used"), "Torch");
}

/// A pack that is no more than a resource, with these fields, unique values and seed records.
fn notes(fields: &str, unique: &str, seeds: &[&str]) -> String {
    let seeds: String = seeds.iter().map(|seed| format!("        - {{ {seed} }}\n")).collect();
    format!(
        "pack: shop\ntitle: Shop\nresources:\n  note:\n    id: id\n    unique: [{unique}]\n    fields: {{ id: string, {fields} }}\n    seed:\n      records:\n{seeds}errors:\n  taken: {{ status: 409, like: taken.json, static: It is taken., docs: notes.md }}\n"
    )
}

fn noted(pack: &str) -> (Shop, Server) {
    let shop = Shop { folder: tempfile::tempdir().unwrap() };
    shop.write("pack.yaml", pack);
    shop.write("taken.json", "{}\n");
    shop.write("words/hello.200.json", "{}\n");
    let hello = "operation: Say hello\nrequest: GET /hello\ndocs: notes.md\nrespond:\n  status: 200\n  like: hello.200.json\n  static: The words are always the same.\n";
    shop.write("words/hello.yaml", hello);
    let server = shop.serve(&["shop", "--watch", "off"]);
    (shop, server)
}

const TAKEN: &str = "{ fields: text, error: taken }";

#[test]
fn a_field_that_goes_and_comes_back_has_its_values() {
    let seeds = ["id: a, text: One, mood: calm", "id: b, text: Two, mood: wild"];
    let whole = notes("text: string, mood: string", TAKEN, &seeds);
    let (shop, server) = noted(&whole);
    let put = |id: &str, body: Json| server.control("PUT", &format!("/state/shop/note/{id}"), Some(body));
    put("c", json!({ "text": "Three", "mood": "sly" })).expect(200);
    put("a", json!({ "text": "One", "mood": "bold" })).expect(200);
    let before = records(&server, "note");

    // A field less, and two more: one that the seed records have, one with a default.
    let half = notes(
        "text: string, size: { type: integer, optional: true }, tone: { type: string, default: = \"t-\" ~ record.id }",
        TAKEN,
        &["id: a, text: One, size: 1", "id: b, text: Two, size: 2"],
    );
    shop.write("pack.yaml", &half);
    live(&server);
    let note = |id: &str, text: &str, size: Option<u64>| {
        let mut note = json!({ "id": id, "text": text, "size": size, "tone": format!("t-{id}") });
        if size.is_none() {
            note.as_object_mut().unwrap().remove("size");
        }
        note
    };
    let now = [note("a", "One", Some(1)), note("b", "Two", Some(2)), note("c", "Three", None)];
    assert_eq!(records(&server, "note"), now);
    let gone =
        |id: &str| json!({ "resource": "note", "id": id, "field": "mood", "reason": "`note` has no such field" });
    assert_eq!(aside(&server), ["a", "b", "c"].map(gone));
    // What is done meanwhile stays done.
    server.control("PATCH", "/state/shop/note/b", Some(json!({ "text": "Zwei" }))).expect(200);
    server.control("DELETE", "/state/shop/note/c", None).expect(204);

    shop.write("pack.yaml", &whole);
    live(&server);
    let mut after = before[..2].to_vec();
    after[1]["text"] = json!("Zwei");
    assert_eq!(records(&server, "note"), after);
    // Of the fields that came and went, the values of those records that there are still.
    let fields: Vec<(Json, Json)> =
        aside(&server).iter().map(|one| (one["id"].clone(), one["field"].clone())).collect();
    let wanted = [("a", "size"), ("a", "tone"), ("b", "size"), ("b", "tone")];
    assert_eq!(fields, wanted.map(|(id, field)| (json!(id), json!(field))));
}

#[test]
fn a_type_that_changes_takes_what_it_can_read() {
    let seeds = ["id: a, text: \"2024-01-01 00:00:00\"", "id: b, text: \"2024-01-02 00:00:00\""];
    let texts = notes("text: string, pin: { type: secret, default: hidden-pin }", TAKEN, &seeds);
    let (shop, server) = noted(&texts);
    let put = |id: &str, body: Json| server.control("PUT", &format!("/state/shop/note/{id}"), Some(body));
    put("c", json!({ "text": "no time" })).expect(200);
    put("d", json!({ "text": "2024-01-04 00:00:00", "pin": "another-secret" })).expect(200);
    let before = records(&server, "note");
    let times = texts
        .replace("text: string", "text: timestamp")
        .replace("resources:", "timestamps: \"%Y-%m-%d %H:%M:%S\"\nresources:");
    shop.write("pack.yaml", &times);
    live(&server);
    assert_eq!(records(&server, "note"), [&before[0], &before[1], &before[3]].map(Json::clone));
    let found = aside(&server);
    assert_eq!((found.len(), &found[0]["id"], &found[0]["field"]), (1, &json!("c"), &Json::Null), "{found:#?}");
    assert!(found[0]["reason"].as_str().unwrap().contains("no time"), "{found:#?}");
    // A reason does not tell a secret.
    shop.write("pack.yaml", &texts.replace("{ type: secret, default: hidden-pin }", "{ type: integer, default: 1 }"));
    live(&server);
    let found = aside(&server);
    let reasons: Vec<&str> = found.iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["`pin` is of type integer, and its value is not"; 4]);
    // A resource that is gone takes its records with it, and gives them back, with the numbers that new ones go on from.
    shop.write("pack.yaml", "pack: shop\ntitle: Shop\n");
    fs::rename(shop.file("taken.json"), shop.root().join("taken.json")).unwrap();
    live(&server);
    assert_eq!(aside(&server).len(), 4);
    server.control("GET", "/state/shop/note", None).problem(404, "resource-unknown");
    shop.write("pack.yaml", &texts);
    fs::rename(shop.root().join("taken.json"), shop.file("taken.json")).unwrap();
    live(&server);
    assert_eq!((records(&server, "note"), aside(&server)), (before, vec![]));
}

/// From now on each account has one item at most that is sold, and one that is not.
#[track_caller]
fn only_one_sold(shop: &Shop, server: &Server) {
    let (names, sold) = ("{ fields: [account, name], error", "{ fields: [account, sold], error");
    shop.edit("pack.yaml", names, sold);
    live(server);
}

#[test]
fn a_record_that_does_not_fit_waits_until_one_comes_that_it_fits() {
    let (shop, server) = shop();
    let lamp = create(&server, "", "7", 1).expect(201).json();
    create(&server, "", "Chair", 2).expect(201);
    server.control("PATCH", &format!("/state/shop/item/{TABLE}"), Some(json!({ "price": 8 }))).expect(200);
    let before = records(&server, "item");
    // Names that are no times.
    let half = "name: { type: timestamp, default: \"2024-01-01 00:00:00\" }";
    let text = fs::read_to_string(shop.file("pack.yaml")).unwrap();
    let item = text.find("      name: string\n      price").unwrap();
    fs::write(
        shop.file("pack.yaml"),
        format!("{}      {half}\n{}", &text[..item], &text[item + "      name: string\n".len()..]),
    )
    .unwrap();
    assert_eq!(look(&server), json!(["shop"]));
    // Seed records with such names would not be good, so the pack is not.
    assert_eq!(standing(&server, "shop")["state"], "failed");
    assert_eq!((records(&server, "item"), aside(&server)), (before.clone(), vec![]));

    // What is unique from now on was not before: the later ones wait.
    fs::write(shop.file("pack.yaml"), &text).unwrap();
    only_one_sold(&shop, &server);
    let found = aside(&server);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!(found[0]["id"], lamp["id"]);
    assert!(
        found[0]["reason"].as_str().unwrap().contains("has the same values, which the pack says are unique"),
        "{found:#?}"
    );
    assert_eq!(records(&server, "item").len(), 2);
    get(&server, &format!("/items/{}", lamp["id"].as_str().unwrap())).expect(404);
    let log = server.control("GET", "/log", None).json();
    let entry = log["records"].as_array().unwrap().iter().rfind(|entry| entry["kind"] == "reload").unwrap();
    assert_eq!((&entry["kind"], &entry["aside"], &entry["misfits"]), (&json!("reload"), &json!(2), &json!(found)));

    // Meanwhile somebody takes the name of one of them.
    server.control("DELETE", &format!("/state/shop/item/{LAMP}"), None).expect(204);
    let other = create(&server, "", "Chair", 3).expect(201).json();
    fs::write(shop.file("pack.yaml"), &text).unwrap();
    live(&server);
    let found = aside(&server);
    let words = format!("`{}` has the same values, which the pack says are unique", other["id"].as_str().unwrap());
    assert_eq!((found.len(), &found[0]["reason"]), (1, &json!(words)));
    assert_eq!(records(&server, "item").iter().filter(|item| item["id"] == lamp["id"]).count(), 1);
    server.control("DELETE", &format!("/state/shop/item/{}", other["id"].as_str().unwrap()), None).expect(204);
    // The next change of the pack is the next time that it is tried.
    shop.edit("pack.yaml", "title: Shop", "title: Shops");
    live(&server);
    assert_eq!(aside(&server), Vec::<Json>::new());
    let ids = |all: &[Json]| all.iter().map(|item| item["id"].clone()).filter(|id| id != LAMP).collect::<Vec<_>>();
    assert_eq!(ids(&records(&server, "item")), ids(&before));
    // Numbers go on, so that no order is used twice.
    create(&server, "", "Last", 9).expect(201);
    assert_eq!(records(&server, "item").last().unwrap()["name"], "Last");
}

#[test]
fn what_was_chosen_survives_a_pack_that_has_no_such_option() {
    let folder = tempfile::tempdir().unwrap();
    copy(&repository("tests/cases/format/options"), folder.path());
    let shop = Shop { folder };
    let server = shop.serve(&["printers", "--watch", "off"]);
    let shown = server.control("GET", "/sandboxes/default", None).json()["options"].clone();
    let (path, value) = shown.as_object().unwrap().iter().next().unwrap();
    let options = server.control("GET", "/packs/printers", None).json()["options"].clone();
    let other = options[0]["values"].as_array().unwrap().iter().find(|one| *one != value).unwrap().clone();
    let wished = json!({ "id": "own", "options": { path: other } });
    server.control("POST", "/sandboxes", Some(wished)).expect(201);
    let own = |server: &Server| server.control("GET", "/sandboxes/own", None).json()["options"][path].clone();
    assert_eq!(own(&server), other);
    // Half an edit: a pack of that name without any option.
    let hide = |back: bool| {
        for part in ["fixtures", "schemas"] {
            let (there, away) = (shop.root().join(part).join("printers"), shop.root().join(format!("away-{part}")));
            let (from, to) = if back { (away, there) } else { (there, away) };
            fs::rename(from, to).unwrap();
        }
    };
    hide(false);
    crate::support::write(shop.root(), "fixtures/printers/pack.yaml", "pack: printers\ntitle: Printers\n");
    server.control("POST", "/reload", None).expect(200);
    let state = server.control("GET", "/reload", None).json();
    assert_eq!(state["packs"][0]["state"], "live", "{state:#}");
    let misfits = state["misfits"].as_array().unwrap().iter().find(|one| one["sandbox"] == "own").unwrap();
    assert_eq!(misfits["misfits"][0]["option"], *path, "{misfits:#}");
    assert_eq!(own(&server), Json::Null);
    fs::remove_dir_all(shop.root().join("fixtures/printers")).unwrap();
    hide(true);
    server.control("POST", "/reload", None).expect(200);
    assert_eq!(own(&server), other);
    assert_eq!(server.control("GET", "/reload", None).json()["misfits"], json!([]));
}

#[test]
fn a_snapshot_from_before_is_restored_with_the_packs_of_now() {
    let (shop, server) = shop();
    create(&server, "", "Chair", 5).expect(201);
    server.control("POST", "/snapshots", Some(json!({ "name": "before" }))).expect(201);
    let restore = || server.control("POST", "/snapshots/before/restore", None).expect(200).json();
    assert_eq!(restore().get("reloaded"), None);
    let text = fs::read_to_string(shop.file("pack.yaml")).unwrap();
    only_one_sold(&shop, &server);
    server.control("POST", "/reset", None).expect(200);
    assert_eq!((records(&server, "item").len(), aside(&server)), (2, vec![]));
    let restored = restore();
    let reloaded = &restored["reloaded"][0];
    assert_eq!(
        (&reloaded["pack"], &reloaded["because"], &reloaded["aside"]),
        (&json!("shop"), &json!("restored"), &json!(1))
    );
    assert_eq!((aside(&server).len(), records(&server, "item").len()), (1, 2));
    // A fork of it finds the same.
    let fork = json!({ "id": "fork", "from": "default@before" });
    server.control("POST", "/sandboxes", Some(fork)).expect(201);
    let state = server.control("GET", "/reload", None).json();
    let misfits = state["misfits"].as_array().unwrap();
    assert_eq!(misfits.iter().map(|one| one["sandbox"].clone()).collect::<Vec<_>>(), ["default", "fork"]);
    // With the old pack it is what it was.
    fs::write(shop.file("pack.yaml"), text).unwrap();
    live(&server);
    assert_eq!((records(&server, "item").len(), aside(&server)), (3, vec![]));
}

#[test]
fn a_log_of_an_earlier_pack_is_not_undone() {
    let (shop, server) = shop();
    create(&server, "", "Chair", 5).expect(201);
    shop.edit("items/list.yaml", "size: = 10", "size: = 1");
    live(&server);
    let after = create(&server, "", "Stool", 6).expect(201);
    let rewind = |to: u64| server.control("POST", "/rewind", Some(json!({ "to": to })));
    for entry in [1, 2] {
        let told = rewind(entry).problem(409, "rewind-reloaded");
        assert!(told.contains("Entry 2 replaced a pack"), "{told}");
    }
    assert_eq!(records(&server, "item").len(), 4);
    assert_eq!(after.header("standin-entry"), Some("3"));
    rewind(3).expect(200);
    assert_eq!(records(&server, "item").len(), 3);
    rewind(9).problem(404, "entry-unknown");
    // What was before the change is gone with a reset, and so is the change.
    server.control("POST", "/reset", None).expect(200);
    let made = create(&server, "", "Chair", 5).expect(201);
    rewind(made.header("standin-entry").unwrap().parse().unwrap()).expect(200);
}

#[test]
fn a_bundle_begins_behind_the_last_change_and_proves_itself() {
    let (shop, server) = shop();
    create(&server, "", "Chair", 5).expect(201);
    crate::server::advance(&server, "1h");
    shop.edit("items/create.yaml", "name: = body.name", "name: = body.name ~ \"!\"");
    live(&server);
    let replay = |entries: usize| {
        let bundle = server.get("/_standin/log?format=bundle").expect(200);
        let file = shop.root().join("it.bundle");
        fs::write(&file, &bundle.body).unwrap();
        let mut command = standin();
        let done = command.current_dir(shop.root()).args(["replay", "it.bundle"]).output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success() && said.contains(&format!("same: {entries} entr")), "{said}\n{}", bundle.text());
        bundle.text()
    };
    assert!(replay(0).contains("Chair"));
    assert_eq!(create(&server, "", "Stool", 6).expect(201).json()["name"], "Stool!");
    get(&server, "/items").expect(200);
    assert!(!replay(2).contains("\"reload\""));
    let log = server.control("GET", "/log", None).json();
    let kinds: Vec<&Json> = log["records"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["exchange", "clock", "reload", "exchange", "exchange"]);
}

/// Entries keep the places and the secrets of the pack that they are of.
#[test]
fn entries_of_an_earlier_pack_are_shown_as_they_were() {
    let (shop, server) = shop();
    server.call("GET", "/shop/items", &[("Authorization", "Bearer wrong-and-long-enough")], "").expect(401);
    let shown = || server.control("GET", "/journal/1", None).expect(200).json();
    let before = shown();
    assert_eq!(before["exchange"]["trace"][0]["at"], "fixtures/shop/items/list.yaml:2");
    let text = fs::read_to_string(shop.file("items/list.yaml")).unwrap();
    fs::write(shop.file("items/list.yaml"), format!("# One\n# Two\n# Three\n{text}")).unwrap();
    // The key stands elsewhere now.
    shop.edit(
        "pack.yaml",
        "    in: header\n    name: Authorization\n    decode: bearer\n",
        "    in: query\n    name: key\n",
    );
    shop.edit("pack.yaml", "value: Bearer first-token", "value: first-token");
    shop.edit("pack.yaml", "value: Bearer second-token", "value: second-token");
    live(&server);
    server.get("/shop/items?key=first-token").expect(200);
    assert_eq!(shown(), before);
    let now = server.control("GET", "/journal/3", None).expect(200).json();
    assert_eq!(now["exchange"]["trace"][0]["at"], "fixtures/shop/items/list.yaml:5");
    assert_eq!(now["exchange"]["request"]["query"], "key=•••");
}

#[test]
fn what_is_asked_of_an_operation_that_is_gone_waits_until_it_is_there_again() {
    let (shop, server) = shop();
    let rules = json!({ "faults": [{ "operation": "shop/items/create", "fault": "malformed-body" }] });
    server.control("PUT", "/faults", Some(rules)).expect(200);
    let files = |from: &str, to: &str| {
        let folder = shop.file("items");
        let stem = format!("{from}.");
        for entry in fs::read_dir(&folder).unwrap() {
            let old = entry.unwrap().path();
            let Some(rest) = old.file_name().unwrap().to_str().unwrap().strip_prefix(&stem) else { continue };
            let text = fs::read_to_string(&old).unwrap().replace(&stem, &format!("{to}."));
            fs::write(folder.join(format!("{to}.{rest}")), text).unwrap();
            fs::remove_file(&old).unwrap();
        }
        live(&server);
    };
    files("create", "add");
    assert_eq!(create(&server, "", "Chair", 5).expect(201).header("standin-operation"), Some("shop/items/add"));
    let bundle = server.get("/_standin/log?format=bundle").expect(200);
    fs::write(shop.root().join("it.bundle"), &bundle.body).unwrap();
    let mut command = standin();
    let done = command.current_dir(shop.root()).args(["replay", "it.bundle"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    files("add", "create");
    let broken = create(&server, "", "Stool", 6);
    assert!(serde_json::from_slice::<Json>(&broken.body).is_err(), "{}", broken.text());
}

/// An edit that leaves resources as they are lets records be. One that writes times otherwise, or has another schema, is
/// seen in those that were shown before, too.
#[test]
fn records_forget_what_another_pack_would_not_say_of_them() {
    let shop = Shop::new();
    let schema = shop.root().join("schemas/shop/item.json");
    let (name, time) = (r#""name": { "type": "string" }"#, "timestamps: \"%Y-%m-%d %H:%M:%S\"");
    replace(&schema, name, r#""name": { "type": "string", "minLength": 1 }"#);
    let server = shop.serve(&["shop", "--watch", "off", "--strict"]);
    let made = create(&server, "", "Zebra", 5).expect(201).json();
    let path = format!("/items/{}", made["id"].as_str().unwrap());
    assert_eq!(get(&server, &path).expect(200).json(), made);
    shop.edit("items/list.yaml", "size: = 10", "size: = 9");
    live(&server);
    assert_eq!(get(&server, &path).expect(200).json(), made);
    create(&server, "", "Zebra", 5).expect(409);
    shop.edit("pack.yaml", time, "timestamps: { pattern: \"%Y-%m-%d %H:%M:%S\", offset: \"+01:00\" }");
    live(&server);
    assert_eq!(made["added_at"], "2024-10-01 17:15:12");
    assert_eq!(get(&server, &path).expect(200).json()["added_at"], "2024-10-01 18:15:12");
    replace(&schema, r#""minLength": 1"#, r#""not": { "const": "Zebra" }"#);
    live(&server);
    get(&server, &path).problem(500, "answer-mismatch");
}
