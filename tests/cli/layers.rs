//! `layers`, which people and other programs read.

use serde_json::{Value, json};
use shadegrad::model::Layer;

use crate::sandbox::Sandbox;

#[test]
fn layers_are_listed_for_people_and_programs() {
    let sandbox = Sandbox::new();
    let text = sandbox.succeed("layers").stdout;
    let listed: Value = serde_json::from_str(&sandbox.succeed("layers --json").stdout).unwrap();
    let listed = listed.as_object().unwrap();
    assert!(listed.keys().map(String::as_str).eq(sorted(Layer::CLASSES)), "{listed:?}");
    for (class, entry) in listed {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(class)).expect(class);
        for word in entry["settings"].as_array().unwrap().iter().chain([&entry["stem"]]) {
            assert!(line.contains(word.as_str().unwrap()), "{line}: {word}");
        }
    }
    assert_eq!(listed["LeakyReLU"], json!({ "stem": "leaky_re_lu", "settings": ["negative_slope"] }));
    assert_eq!(listed["Dense"], json!({ "stem": "dense", "settings": ["units", "activation", "use_bias"] }));
}

fn sorted(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}
