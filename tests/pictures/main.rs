//! Folders of pictures as data sets.

mod cached;
mod classes;
mod fitted;
mod hostile;
mod place;

#[path = "../../examples/pictures.rs"]
#[allow(dead_code, reason = "a test has a main function of its own")]
mod example;

/// The example learns to tell dark from light.
#[test]
fn the_example_names_a_picture() {
    let place = place::Place::new();
    for number in 0..40u8 {
        let (class, value) = if number % 2 == 0 { ("dark", number) } else { ("light", 255 - number) };
        place.put(&format!("photos/{class}/{number}.png"), &place::grey(8, 8, value));
    }
    place.put("new.png", &place::grey(30, 20, 250));
    example::learn(&place.path("photos"), &place.path("saved")).unwrap();
    let mut model = shadegrad::train::Model::load(&place.path("saved")).unwrap();
    assert_eq!(example::name(&mut model, &place.path("new.png")).unwrap().0, "light");
}
