//! Messages in `start`: the message types of section 3.1 of the facts.

use super::*;

fn start_with_messages(server: &Server, name: &str, messages: Json) -> Answer {
    let mut body = body("WebChat", name);
    body["configuration"]["start"] = messages;
    post(server, ZERO, body)
}

/// Each of the thirteen types in its least form and with everything that it may have.
fn good() -> Vec<Json> {
    let channels = json!([{ "type": "Webchat", "metadata": [{ "key": "caption-show", "value": "true" }] }]);
    let actions = json!([
        { "type": "postback", "title": "Yes", "payload": "Yes", "channels": channels },
        { "type": "reply", "title": "No", "payload": "No" },
        { "type": "link", "title": "More", "url": "https://site.example" },
    ]);
    let cards = json!([
        { "title": "Car", "content": "Red", "urlType": "image", "url": "https://site.example/car.png", "actions": actions },
        { "title": "Film", "urlType": "youtube", "url": "youtube.com/embed/1234" },
    ]);
    vec![
        json!({ "type": "text", "text": "Hello" }),
        json!({ "type": "text", "actions": actions }),
        json!({ "type": "text", "text": "", "items": [{ "type": "image", "url": "https://site.example/a.png" }] }),
        json!({ "type": "youtube", "url": "https://youtube.com/watch?v=x1245b" }),
        json!({ "type": "vimeo", "url": "player.vimeo.com/video/12345678" }),
        json!({ "type": "video", "url": "http://site.example/a.mp4", "label": "Film", "mimeType": "video/mp4" }),
        json!({ "type": "audio", "url": "http://site.example/a.mp3" }),
        json!({ "type": "image", "url": "http://site.example/a.png", "urlAnchor": "b", "alt": "c", "title": "d", "channels": channels }),
        json!({ "type": "attachment", "label": "Report", "mimeType": "pdf", "url": "http://site.example/a.pdf" }),
        json!({ "type": "location", "address": "1 Main Street" }),
        json!({ "type": "location", "latitude": 43.8425254, "longitude": -79 }),
        json!({ "type": "contact", "title": "Eva", "properties": [{ "key": "Cell", "value": "416", "type": "phone;cell" }], "channels": channels }),
        json!({ "type": "card", "title": "Car", "urlType": "image", "url": "https://site.example/car.png" }),
        json!({ "type": "carousel", "items": cards, "channels": channels }),
        json!({ "type": "list", "items": cards, "actions": actions }),
        json!({ "type": "command", "text": "::resp -n contact" }),
    ]
}

#[test]
fn s3_1_every_message_type_is_taken_and_comes_back_as_it_was_sent() {
    let server = start();
    let types: Vec<String> = good().iter().map(|message| text(message, "type").to_owned()).collect();
    for known in
        "text youtube vimeo video audio image attachment location contact card carousel list command".split(' ')
    {
        assert!(types.iter().any(|found| found == known), "{known}");
    }
    let made = start_with_messages(&server, "all", json!(good())).expect(200).json();
    assert_eq!(made["configuration"]["Start"], json!(good()));
    for (nth, message) in good().into_iter().enumerate() {
        start_with_messages(&server, &nth.to_string(), json!([message])).expect(200);
    }
}

#[test]
fn s3_1_messages_that_are_wrong_are_refused_with_their_code() {
    let server = start();
    let watch = server.watch_pack("hubster");
    for (message, codes) in [
        (json!({ "type": "text" }), vec![307]),
        (json!({ "type": "text", "text": " " }), vec![307]),
        (json!({ "type": "text", "items": [], "actions": [] }), vec![307]),
        (json!({ "text": "Hello" }), vec![301]),
        (json!({ "type": "TEXT", "text": "Hello" }), vec![206]),
        (json!({ "type": "sticker" }), vec![206]),
        (json!({ "type": 1 }), vec![302]),
        (json!("Hello"), vec![302]),
        (json!(null), vec![302]),
        (json!({ "type": "text", "text": 7 }), vec![302]),
        (json!({ "type": "text", "text": "Hello", "colour": "red" }), vec![303]),
        (json!({ "type": "youtube" }), vec![301]),
        (json!({ "type": "video", "url": "" }), vec![301]),
        (json!({ "type": "attachment", "url": "http://site.example/a.pdf" }), vec![301, 301]),
        (json!({ "type": "location" }), vec![308]),
        (json!({ "type": "location", "address": "" }), vec![308]),
        (json!({ "type": "location", "latitude": 1.5 }), vec![308]),
        (json!({ "type": "contact" }), vec![301]),
        (json!({ "type": "card", "url": "https://site.example/car.png" }), vec![301]),
        (json!({ "type": "card", "urlType": "film" }), vec![206]),
        (json!({ "type": "carousel" }), vec![301]),
        (json!({ "type": "carousel", "items": [] }), vec![306]),
        (
            json!({ "type": "list", "items": [{ "title": "a", "actions": [{ "type": "call", "title": "b" }] }] }),
            vec![206],
        ),
        (json!({ "type": "text", "actions": [{ "type": "link", "title": "b" }] }), vec![301]),
        (json!({ "type": "text", "actions": [{ "type": "reply", "title": "b" }] }), vec![301]),
        // Only some types may be items of a text.
        (json!({ "type": "text", "items": [{ "type": "carousel", "items": [] }] }), vec![206]),
        (json!({ "type": "command", "text": "" }), vec![301]),
    ] {
        let answer = start_with_messages(&server, "a", json!([message.clone()]));
        let words = refused(&answer, 400, &codes);
        assert!(words.iter().all(|words| words.contains("configuration.start.0")), "{message}: {words:?}");
    }
    watch.unharmed();
}

#[test]
fn s3_1_direct_and_updates_look_at_messages_too() {
    let server = start();
    let mut direct = body("Direct", "a");
    direct["configuration"]["start"] = json!([{ "type": "text" }]);
    refused(&post(&server, ZERO, direct), 400, &[307]);
    let chat = json!({ "configuration": { "allowedOrigins": ["localhost"], "start": [{ "type": "text" }] } });
    refused(&post(&server, &seed(WEB_CHAT), chat), 400, &[307]);
    let direct = json!({ "configuration": { "integrationType": "Agent", "start": [{ "type": "location" }] } });
    refused(&post(&server, ZERO, direct), 400, &[308]);
    let list = json!({ "configuration": { "integrationType": "Agent", "start": { "type": "text", "text": "a" } } });
    refused(&post(&server, ZERO, list), 400, &[302]);
}
