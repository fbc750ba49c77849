//! Deliveries that somebody wants to be attempted once more.

use super::*;
use crate::receiver::Say;

#[test]
fn what_is_taken_when_it_is_redelivered_is_not_attempted_again() {
    let receiver = Receiver::new([Say::status(500), Say::status(200)]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    let before = post.landed();
    assert_eq!((&before["state"], &before["next"]), (&json!("waiting"), &json!("2024-10-01T17:17:12Z")));
    let shown = post.redeliver(text(&before, "id")).expect(200).json();
    assert_eq!((&shown["state"], &shown["next"]), (&json!("delivered"), &json!(null)), "{shown:#}");
    assert_eq!(results(&shown), ["refused", "taken"]);
    let attempts = shown["attempts"].as_array().unwrap();
    assert_eq!((&attempts[0]["planned"], &attempts[1]["planned"]), (&json!(true), &json!(false)));
    assert_eq!(attempts[1]["at"], "2024-10-01T17:15:12Z");
    assert_eq!(post.advance("1 hour").expect(200).json()["done"], json!([]));
    let [first, second] = receiver.heard().try_into().unwrap();
    assert_eq!((first.header("x-note-attempt"), second.header("x-note-attempt")), (Some("1"), Some("2")));
    assert_eq!(first.body, second.body);
}

#[test]
fn what_is_not_taken_when_it_is_redelivered_keeps_its_plan() {
    let receiver = Receiver::new([Say::status(500), Say::status(502), Say::status(503), Say::status(200)]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    let id = text(&post.landed(), "id").to_owned();
    post.advance("1 minute").expect(200);
    let shown = post.redeliver(&id).expect(200).json();
    assert_eq!((&shown["state"], &shown["next"]), (&json!("waiting"), &json!("2024-10-01T17:17:12Z")), "{shown:#}");
    post.advance("1 hour").expect(200);
    let shown = post.show(&id);
    let at: Vec<&str> = shown["attempts"].as_array().unwrap().iter().map(|one| text(one, "at")).collect();
    assert_eq!(at, ["2024-10-01T17:15:12Z", "2024-10-01T17:16:12Z", "2024-10-01T17:17:12Z", "2024-10-01T17:21:12Z"]);
    assert_eq!(results(&shown), ["refused", "refused", "refused", "taken"]);

    // What was taken stays so, whatever a further attempt brings; what failed can still be taken.
    receiver.then([Say::status(500)]);
    let shown = post.redeliver(&id).expect(200).json();
    assert_eq!((&shown["state"], results(&shown).last()), (&json!("delivered"), Some(&"refused")));
    receiver.then([Say::status(500), Say::status(500), Say::status(500), Say::status(200)]);
    post.write("Again");
    post.all_landed();
    post.advance("1 hour").expect(200);
    let [failed] = post.ids("?state=failed").try_into().unwrap();
    assert_eq!(post.redeliver(&failed).expect(200).json()["state"], "delivered");
}

#[test]
fn one_that_cannot_be_made_changes_nothing_of_what_was_or_is_to_be() {
    let receiver = Receiver::new([Say::status(200), Say::status(500)]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    let taken = text(&post.landed(), "id").to_owned();
    post.write("Again");
    let waiting = post.all_landed().iter().map(|one| text(one, "id").to_owned()).find(|id| *id != taken).unwrap();
    post.server.control("DELETE", "/state/post/hook/h1", None).expect(204);
    let shown = post.redeliver(&taken).expect(200).json();
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("delivered"), &json!(null)), "{shown:#}");
    let shown = post.redeliver(&waiting).expect(200).json();
    assert_eq!((&shown["state"], &shown["next"]), (&json!("waiting"), &json!("2024-10-01T17:17:12Z")), "{shown:#}");
    // It is given up when the attempt of the plan cannot be made.
    post.advance("1 hour").expect(200);
    let shown = post.show(&waiting);
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("dropped"), &json!("there is no such `hook` any more")));
    assert_eq!(receiver.heard().len(), 2);
}

#[test]
fn one_that_is_under_way_is_not_attempted_twice() {
    let receiver = Receiver::new([Say::held(200)]);
    let post = Post::telling(&receiver);
    post.write("Hello");
    receiver.heard_when(1);
    let [shown] = post.records("").try_into().unwrap();
    assert_eq!((&shown["state"], &shown["attempts"][0]["result"]), (&json!("sending"), &json!(null)));
    assert_eq!(shown["attempts"][0]["latencyMillis"], json!(null));
    let id = text(&shown, "id").to_owned();
    post.redeliver(&id).problem(409, "delivery-under-way");
    receiver.release();
    assert_eq!(post.landed()["state"], "delivered");
    assert_eq!(receiver.heard().len(), 1);
}

#[test]
fn the_agenda_can_be_too_full_for_it() {
    let receiver = Receiver::new([Say::status(500)]);
    let post = Post::start(&["--max-agenda", "1"]);
    post.hook("h1", &receiver.url("/hook"));
    post.write("Hello");
    let id = text(&post.landed(), "id").to_owned();
    // The next attempt; the shredding of the note is the record's.
    post.redeliver(&id).problem(429, "agenda-full");
    assert_eq!(post.landed()["state"], "waiting");
}

/// With a clock that ticks an attempt of the plan can become due while one that somebody asked for is under way.
#[test]
fn a_planned_attempt_and_one_that_was_asked_for_can_be_under_way_together() {
    std::thread::scope(|scope| {
        scope.spawn(|| together(200, "taken"));
        together(500, "refused");
    });
}

#[track_caller]
fn together(status: u16, result: &str) {
    let folder = folder();
    let file = folder.path().join("fixtures/post/notes/shredded.webhook.yaml");
    support::replace(&file, "retries: [1 second]", "retries: [5 seconds]");
    let receiver = Receiver::new([Say::status(200), Say::status(500), Say::held(status)]);
    let post = Post::serving(folder, "off", &[]);
    post.hook("h1", &receiver.url("/hook"));
    post.write("Hello");
    post.all_landed();
    post.server.control("POST", "/events/post/shred", Some(json!({ "id": 1 }))).expect(200);
    let id = eventually("the shredding to wait", || post.ids("?webhook=shredded&state=waiting").pop());
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| post.redeliver(&id).expect(200).json());
        let [_, _, asked_for, planned] = receiver.heard_when(4).try_into().unwrap();
        assert_eq!(asked_for.body, planned.body);
        let landed = |shown: &Json| results(shown) == ["refused", "none", "taken"];
        let shown = eventually("the planned attempt to land", || Some(post.show(&id)).filter(landed));
        assert_eq!(shown["state"], "sending");
        receiver.release();
        let shown = asked.join().unwrap();
        let asked = shown["attempts"].as_array().unwrap().iter().find(|one| one["planned"] == false).unwrap();
        assert_eq!(asked["result"], result);
    });
    let shown = eventually("all to land", || Some(post.show(&id)).filter(|shown| shown["state"] != "sending"));
    assert_eq!((&shown["state"], results(&shown)), (&json!("delivered"), vec!["refused", result, "taken"]));
    assert_eq!(receiver.heard().len(), 4);
}

/// While time is advanced, things happen one after the other, what somebody asks for among them.
#[test]
fn what_is_redelivered_while_time_is_advanced_has_its_turn() {
    let receiver =
        Receiver::new([Say::status(500), Say::status(500), Say::held(500), Say::status(502), Say::status(200)]);
    let post = Post::telling(&receiver);
    post.hook("h2", &receiver.url("/second"));
    post.write("Hello");
    post.all_landed();
    let [first, second] = post.ids("").try_into().unwrap();
    std::thread::scope(|scope| {
        let advanced = scope.spawn(|| post.advance("2 minutes").expect(200).json());
        receiver.heard_when(3);
        post.redeliver(&first).problem(409, "delivery-under-way");
        let asked = scope.spawn(|| post.redeliver(&second).expect(200).json());
        eventually("the attempt on the agenda", || {
            let agenda = post.server.control("GET", "/clock/agenda", None).expect(200).json();
            agenda["records"].as_array().unwrap().iter().any(|item| item["planned"] == false).then_some(())
        });
        receiver.release();
        let shown = asked.join().unwrap();
        assert_eq!((&shown["state"], results(&shown)), (&json!("delivered"), vec!["refused", "refused", "taken"]));
        let done = advanced.join().unwrap();
        let done = done["done"].as_array().unwrap();
        let of = |done: &Json| (text(done, "delivery").to_owned(), done["attempt"].as_u64());
        assert_eq!(
            done.iter().map(of).collect::<Vec<_>>(),
            [(first.clone(), Some(2)), (second.clone(), Some(2)), (second.clone(), Some(3))]
        );
        assert!(done.iter().all(|done| done["at"] == "2024-10-01T17:17:12Z"), "{done:#?}");
    });
}

#[test]
fn who_waits_for_longer_than_an_attempt_can_take_is_told_how_it_stands() {
    let folder = folder();
    let file = folder.path().join("fixtures/post/notes/shredded.webhook.yaml");
    support::replace(&file, "timeout: 30 seconds", "timeout: 1 second");
    let receiver = Receiver::new([Say::status(200), Say::status(200), Say::status(200), Say::held(200)]);
    let post = Post::serving(folder, "off", &["--freeze"]);
    post.hook("h1", &receiver.url("/hook"));
    post.write("Hello");
    post.write("Goodbye");
    post.server.control("POST", "/events/post/shred", Some(json!({ "id": 2 }))).expect(200);
    post.all_landed();
    let [written, _] = post.ids("?webhook=written").try_into().unwrap();
    let [shredded] = post.ids("?webhook=shredded").try_into().unwrap();
    std::thread::scope(|scope| {
        let held = scope.spawn(|| post.redeliver(&written).expect(200));
        receiver.heard_when(4);
        // Time that is advanced stands still for the one that is under way.
        let advanced = scope.spawn(|| post.advance("1 minute").expect(200));
        // Until then what is due now has happened when the call returns.
        eventually("the advance", || {
            let asked = post.server.control(
                "POST",
                "/clock/agenda",
                Some(json!({
                    "pack": "post", "event": "shred", "input": { "id": 99 }, "after": "0s",
                })),
            );
            let id = asked.expect(201).json()["id"].as_u64().unwrap();
            let waits = post.server.control("DELETE", &format!("/clock/agenda/{id}"), None);
            (waits.status == 204).then_some(())
        });
        let shown = post.redeliver(&shredded).expect(202).json();
        assert_eq!((&shown["state"], results(&shown)), (&json!("waiting"), vec!["taken"]));
        receiver.release();
        held.join().unwrap();
        advanced.join().unwrap();
    });
    assert_eq!(results(&post.show(&shredded)), ["taken", "taken"]);
}
