//! The documentation's bytes: the 28 blocks of the page on integrations.

use std::collections::BTreeMap;

use crate::documented::{fragments_of, report_of, stands_as_documented};

/// In the order of the page, with the SHA-256 of each block without its own indentation. The two that do not parse are
/// texts, each beside the object that was meant.
const BLOCKS: [(&str, &str); 28] = [
    ("create.request.json", "092668ce2d5a319ee16969e3e44e61b5a3f226f77333e0c90dbfb41f73f9381a"),
    ("create.request.twilio-sms.json", "d59efa8a3c8bd678f0c777565d79e7872f18ad99c2e9a81adff7142a6cb6f5a0"),
    ("create.200.json", "f1709d4523100acec53beb4b5cc766017c9eff4b4b27151cc946b6463a9af653"),
    ("create.request.messenger.json", "5e7a35e95c69a6e0988f15520107e3a703bec9bcf3558ba53eafab42e0d1451f"),
    ("create.200.messenger.json", "ae3c8801873ca8b62862d8d3b1b6495cf8616334c7a23ce38252e10bf551c6d2"),
    ("create.request.web-chat.json", "75ea2ab130b04e62ca7fe5add8a72624a216b318149664d052688d72b7609949"),
    ("create.200.web-chat.json", "4a94ed990b5638a1eee3b97868c13eabab9ff1467cfe15bf87d367969df3c2a2"),
    ("create.request.direct.json", "35e89e6c9cc00a6f87f4846d20bcfe7aaf8b641238fcd636334f91063960807a"),
    ("create.200.direct.txt", "1357045b2f376362a6ebd51bd5da300027f503aa1b7a4d1efaeca43c46c126a4"),
    ("create.request.system.json", "9b45ec82d418de5ddd4988497ee0261862ab8b7240faf80d7c41bad320afc96d"),
    ("create.200.system.json", "b7185ab4d8742a8f3f44e3006cee1a2976ffd81184e095769f131adbdeaac1aa"),
    ("create.request.slack.json", "a722b36812e2fc4bb38e706a9b753c98b6353b9604e46b1328754d04e887d6e9"),
    ("create.200.slack.json", "442c5de3492472bb4b92beee06b3af711eb03e135d355a69bc073af7604db3a9"),
    ("update-direct.request.incomplete.json", "11944261c098adae9c5eb104f23ec048f5394b49e2a9fe2b3d44f494020177b5"),
    ("update-web-chat.request.json", "8086309c10398645d387e74776527aaa695c61bec0fba7fcaf7569e254069c6b"),
    ("update-web-chat.200.json", "4a94ed990b5638a1eee3b97868c13eabab9ff1467cfe15bf87d367969df3c2a2"),
    ("update-direct.request.json", "813d1d47909eb3e856999d557c404cf4e43bf93b54c7022c49272cfd164d6b70"),
    ("update-direct.200.txt", "1357045b2f376362a6ebd51bd5da300027f503aa1b7a4d1efaeca43c46c126a4"),
    ("update-system.request.json", "cd1ac4d75df7b0471a8c01f7ee20d1741d72b99b6b5bfdeda09084d31b20615b"),
    ("update-system.200.json", "b7185ab4d8742a8f3f44e3006cee1a2976ffd81184e095769f131adbdeaac1aa"),
    ("get.200.json", "55ee080aa819f21b57a6742268d91de7ec92c615089c23075f034cb459ccc502"),
    ("get.200.twilio-sms.json", "2b30910b6a7b4bdadaccb2d7567a5f729619410a8976d7f8d2c5714683e66172"),
    ("get.200.messenger.json", "13fe896af5c32a1cfe0ca1b0a2cd4b5c167381849a368161fae191e0648fe374"),
    ("get.200.web-chat.json", "65db41e08149630f2b542a76a98d1819b149f4d4422fd335da79732ea6c5dea1"),
    ("get.200.direct.json", "e473a9d37a55cdbf043ff796438fc1e298cda6845202dfdf3d30c1864d12ef87"),
    ("get.request.system.json", "9b45ec82d418de5ddd4988497ee0261862ab8b7240faf80d7c41bad320afc96d"),
    ("get.200.system.json", "b7185ab4d8742a8f3f44e3006cee1a2976ffd81184e095769f131adbdeaac1aa"),
    ("get.200.slack.json", "cbba9ec4043c127e84ae1421368da45a396c77596d893db7d5b1a296432d26f3"),
];

/// Parts of other examples.
const FRAGMENTS: [&str; 6] = [
    "get.200.twilio-sms.json",
    "get.200.messenger.json",
    "get.200.web-chat.json",
    "get.200.direct.json",
    "get.request.system.json",
    "get.200.slack.json",
];

#[test]
fn documented_examples_are_the_documentations_bytes() {
    for (file, known) in BLOCKS {
        stands_as_documented(&format!("hubster/integrations/{file}"), known);
    }
}

#[test]
fn check_lists_the_parts_of_others_with_a_reason() {
    let listed = fragments_of("hubster");
    let names: Vec<&str> = listed.keys().map(|name| name.rsplit('/').next().unwrap()).collect();
    let mut expected = FRAGMENTS;
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert!(listed.values().all(|fragment| fragment["reason"].as_str().unwrap().len() > 20), "{listed:#?}");
}

#[test]
fn check_replays_every_documented_block() {
    let results: BTreeMap<String, serde_json::Value> = report_of("hubster");
    for (file, _) in BLOCKS {
        if FRAGMENTS.contains(&file) {
            continue;
        }
        // A request is replayed with the answer of its variant, and a text with the object that was meant.
        let (operation, variant) = file.split_once('.').unwrap();
        let variant = variant.trim_end_matches(".json").trim_end_matches(".txt");
        let variant = variant.trim_start_matches("request").trim_start_matches("200");
        let own = format!("hubster/integrations/{operation}.");
        let ending = format!("{variant}.json");
        let found = results.iter().find(|(name, _)| {
            let rest = name
                .strip_prefix(&own)
                .map(|rest| rest.trim_start_matches("request").trim_start_matches(['2', '4', '0']));
            rest == Some(ending.as_str())
        });
        let (name, result) = found.unwrap_or_else(|| panic!("{file} is not replayed: {:#?}", results.keys()));
        assert_eq!(result["findings"], serde_json::json!([]), "{name}");
    }
}
