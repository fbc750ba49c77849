//! How changes are noticed, or asked for.

use super::*;

fn shrink(shop: &Shop) {
    shop.edit("items/list.yaml", "size: = 10", "size: = 1");
}

fn items(server: &Server) -> usize {
    get(server, "/items").expect(200).json()["items"].as_array().unwrap().len()
}

#[test]
fn files_are_read_again_and_again_where_no_events_come() {
    let shop = Shop::new();
    let server = shop.serve(&["shop", "--watch=poll"]);
    assert_eq!(server.control("GET", "/reload", None).json()["watch"], "poll");
    shrink(&shop);
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
    fs::rename(shop.file(""), shop.root().join("away")).unwrap();
    once_it_is(&server, "gone");
    fs::rename(shop.root().join("away"), shop.file("")).unwrap();
    once_it_is(&server, "live");
}

#[test]
fn nothing_is_noticed_unless_somebody_asks() {
    let shop = Shop::new();
    let server = shop.serve(&["shop", "--watch=off"]);
    shrink(&shop);
    assert_eq!(items(&server), 2);
    let before = standing(&server, "shop");
    let answer = server.control("POST", "/reload", None).expect(200).json();
    assert_eq!((&answer["changed"], &answer["watch"]), (&json!(["shop"]), &json!("off")));
    assert_ne!(answer["packs"][0]["digest"], before["digest"]);
    assert_eq!(answer["packs"][0]["files"], json!(["fixtures/shop/items/list.yaml"]));
    assert!(answer["at"].is_string() && answer["tookMillis"].is_number(), "{answer}");
    assert_eq!(items(&server), 1);
    // What is the same is not made anew: no entry, no change.
    let entries = || server.control("GET", "/log", None).json()["total"].clone();
    let entered = entries();
    fs::write(shop.file("items/list.yaml"), fs::read(shop.file("items/list.yaml")).unwrap()).unwrap();
    assert_eq!((look(&server), entries()), (json!([]), entered));
    server.control("POST", "/reload", Some(json!({ "pack": "shop" }))).problem(400, "body-member-unknown");
}

#[cfg(unix)]
#[test]
fn a_process_that_is_told_to_hang_up_looks() {
    let shop = Shop::new();
    let server = shop.serve_with("text", &["shop", "--watch=off"]);
    shrink(&shop);
    server.signal("HUP");
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
    let said = server.stderr_when(|text| text.contains("reload: "));
    assert!(said.contains("ms: fixtures/shop/items/list.yaml\n"), "{said}");
}

/// The pack stands elsewhere, and `fixtures` has a link to it.
#[cfg(unix)]
#[test]
fn a_pack_that_is_linked_to_is_followed() {
    let shop = Shop::new();
    let elsewhere = shop.root().join("elsewhere");
    fs::rename(shop.file(""), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, shop.root().join("fixtures/shop")).unwrap();
    let server = shop.serve(&["shop"]);
    replace(&elsewhere.join("items/list.yaml"), "size: = 10", "size: = 1");
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
}

/// The schemas stand elsewhere, and `schemas` has a link to them.
#[cfg(unix)]
#[test]
fn schemas_that_are_linked_to_are_followed() {
    let shop = Shop::new();
    let (schemas, elsewhere) = (shop.root().join("schemas/shop"), shop.root().join("elsewhere"));
    fs::rename(&schemas, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &schemas).unwrap();
    let server = shop.serve(&["shop"]);
    // From here on files are followed.
    shrink(&shop);
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
    fs::write(elsewhere.join("create-item.json"), "{").unwrap();
    let standing = once_it_is(&server, "failed");
    assert!(standing["place"].as_str().unwrap().starts_with("schemas/shop/create-item.json:1:"), "{standing}");
}

/// A release is put in the place of another by a link that comes in the place of one.
#[cfg(unix)]
#[test]
fn a_link_on_the_way_that_leads_elsewhere_is_noticed() {
    let shop = Shop::new();
    let root = shop.root();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
    for release in ["v1", "v2"] {
        copy(&root.join("fixtures"), &root.join(release).join("fixtures"));
        copy(&root.join("schemas"), &root.join(release).join("schemas"));
    }
    replace(&root.join("v2/fixtures/shop/items/list.yaml"), "size: = 10", "size: = 1");
    link("v1", "current");
    let flags = ["shop", "--fixtures", "current/fixtures", "--schemas", "current/schemas"];
    let server = shop.serve(&flags);
    let list = root.join("v1/fixtures/shop/items/list.yaml");
    replace(&list, "size: = 10", "size: = 2");
    once(&server, "shop", |standing| standing["files"] == json!(["fixtures/shop/items/list.yaml"]));
    assert_eq!(items(&server), 2);
    link("v2", "next");
    fs::rename(root.join("next"), root.join("current")).unwrap();
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
    // What it leads to now is followed, also when somebody else has seen it first.
    link("v1", "next");
    fs::rename(root.join("next"), root.join("current")).unwrap();
    look(&server);
    assert_eq!(items(&server), 2);
    replace(&list, "size: = 2", "size: = 1");
    listed(&server, |list| list["items"].as_array().map(Vec::len) == Some(1));
    assert_eq!(server.control("GET", "/reload", None).json()["watch"], "events");
}

/// A stream has as many events as there were changes, and each goes on from the one before.
#[test]
fn a_page_that_follows_the_journal_learns_of_reloads_clock_and_events() {
    let shop = Shop::new();
    let server = shop.serve(&["shop"]);
    let mut stream = crate::follow::Reader::open(&server, "");
    crate::server::advance(&server, "1d");
    stream.expect("clock");
    server.control("POST", "/events/shop/sell", Some(json!({ "id": LAMP }))).expect(200);
    stream.expect("event");
    shrink(&shop);
    let event = stream.expect("reload");
    let digest = standing(&server, "shop")["digest"].clone();
    assert_eq!((&event.data["digest"], &event.data["at"]), (&digest, &json!("2024-10-02T17:15:12Z")));
}
