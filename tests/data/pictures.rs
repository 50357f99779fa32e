//! Pictures become images like MNIST's, whatever their orientation, place and size.

use shadegrad::data::{DataError, Doubt, Picture};

/// The pixel of a row and a column.
type Paint<'a, T> = Box<dyn Fn(usize, usize) -> T + 'a>;

const SHAPE: [usize; 3] = [28, 28, 1];

/// A picture of one colour per pixel.
fn picture(height: usize, width: usize, pixel: impl Fn(usize, usize) -> [u8; 4]) -> Picture {
    let rgba = (0..height).flat_map(|y| (0..width).flat_map(|x| pixel(y, x)).collect::<Vec<_>>()).collect();
    Picture::new(height, width, rgba).unwrap()
}

fn grey(value: u8) -> [u8; 4] {
    [value, value, value, 255]
}

/// A ring with an outer radius of `size` pixels around `(y, x)`, a quarter of that thick.
fn ring([y, x]: [usize; 2], size: f32) -> impl Fn(usize, usize) -> bool {
    move |py, px| {
        let distance = (py as f32 - y as f32).hypot(px as f32 - x as f32);
        (size * 0.75..=size).contains(&distance)
    }
}

#[test]
fn images_of_mnist_stay_what_they_are() {
    let test = shadegrad::data::mnist().unwrap().test;
    let mut same = 0;
    for index in 0..500 {
        let image = test.image(index).unwrap();
        let seen = picture(28, 28, |y, x| grey(image[y * 28 + x])).drawn(SHAPE).unwrap();
        let distance = |[dy, dx]: [isize; 2]| {
            let moved = |at: usize| {
                let (y, x) = ((at / 28).wrapping_add_signed(dy), (at % 28).wrapping_add_signed(dx));
                if y < 28 && x < 28 { image[y * 28 + x] } else { 0 }
            };
            let differences = seen.iter().enumerate().map(|(at, value)| value.abs_diff(moved(at)));
            differences.map(u32::from).sum::<u32>() / 784
        };
        // The centre may fall on either side of a half; thin strokes become thicker.
        let least = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| [dy, dx])).map(distance).min().unwrap();
        assert!(least <= 10, "image {index} differs by {least} on average");
        same += usize::from(least == 0);
    }
    assert!(same >= 300, "only {same} of 500 were left alone");
}

#[test]
fn paper_or_board_size_and_place_do_not_matter() {
    let drawn = |size: usize, at: [usize; 2], radius: f32, ink: [u8; 4], ground: [u8; 4]| {
        let ring = ring(at, radius);
        let seen =
            picture(size, size * 2, |y, x| if ring(y, x) { ink } else { ground }).drawn(SHAPE).unwrap();
        seen.into_iter().map(i32::from).collect::<Vec<_>>()
    };
    let expected = drawn(200, [100, 200], 60.0, grey(255), grey(0));
    let clear = [0, 0, 0, 0];
    let rows = [
        ("dark on light", drawn(200, [100, 200], 60.0, grey(0), grey(255))),
        ("weak pencil", drawn(200, [100, 200], 60.0, grey(150), grey(220))),
        ("in a corner", drawn(200, [70, 320], 60.0, grey(30), grey(255))),
        ("larger", drawn(700, [350, 800], 300.0, grey(0), grey(255))),
        ("smaller", drawn(60, [30, 40], 22.0, grey(0), grey(255))),
        ("colours", drawn(200, [80, 100], 60.0, [20, 30, 160, 255], [240, 240, 200, 255])),
        ("transparent", drawn(200, [80, 100], 60.0, grey(0), clear)),
    ];
    for (what, seen) in rows {
        let mean = seen.iter().zip(&expected).map(|(a, b)| (a - b).abs()).sum::<i32>() / 784;
        // A ring of 44 pixels has coarse edges.
        assert!(mean <= 5, "{what}: {mean} on average");
    }
    // A ring of 20 pixels across, in the middle of 28.
    let rows_inked: Vec<_> = (0..28).filter(|y| expected[y * 28..][..28].iter().any(|&v| v > 60)).collect();
    assert_eq!([rows_inked[0], rows_inked[rows_inked.len() - 1]], [4, 23]);
}

#[test]
fn the_centre_of_mass_is_in_the_middle_as_far_as_it_fits() {
    // A thick bar above a thin line: its mass is near the top.
    let seen = picture(100, 60, |y, x| grey(if (y < 30 || x == 30) && y > 9 && x > 9 { 0 } else { 255 }))
        .drawn(SHAPE)
        .unwrap();
    let mass: f32 = seen.iter().map(|&v| f32::from(v)).sum();
    let moment: f32 = seen.iter().enumerate().map(|(at, &v)| (at / 28) as f32 * f32::from(v)).sum();
    let bottom = (0..28).rfind(|y| seen[y * 28..][..28].iter().any(|&v| v > 0)).unwrap();
    assert!((moment / mass - 14.0).abs() <= 0.6 || bottom == 27, "{} {bottom}", moment / mass);
}

#[test]
fn a_hair_line_is_still_a_stroke() {
    let seen = picture(1000, 1000, |y, x| grey(if x == 500 && (100..900).contains(&y) { 0 } else { 255 }))
        .drawn(SHAPE)
        .unwrap();
    let inked = seen.iter().filter(|&&value| value > 100).count();
    assert!((18..=60).contains(&inked), "{inked}");
    let row: u32 = seen[14 * 28..][..28].iter().map(|&value| u32::from(value)).sum();
    assert!(row >= 300, "the line is thinner than a pen's: {row}");
}

#[test]
fn grain_and_shadows_are_background() {
    let ring = ring([120, 150], 70.0);
    let noise = |y: usize, x: usize| ((y * 7919 + x * 104_729) % 13) as u8;
    let even = picture(240, 300, |y, x| grey(if ring(y, x) { 40 } else { 230 })).drawn(SHAPE).unwrap();
    let photo =
        picture(240, 300, |y, x| grey((if ring(y, x) { 40 } else { 230 }) - (x / 20) as u8 + noise(y, x)));
    let mean =
        photo.drawn(SHAPE).unwrap().iter().zip(&even).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
    assert!(mean / 784 <= 6, "{}", mean / 784);
}

#[test]
fn other_shapes_keep_the_proportions() {
    for [h, w] in [[56, 56], [14, 28], [8, 8], [1, 1]] {
        let ring = ring([50, 50], 30.0);
        let seen = picture(100, 100, |y, x| grey(if ring(y, x) { 0 } else { 255 })).drawn([h, w, 1]).unwrap();
        assert_eq!(seen.len(), h * w);
        let inked = (0..h).filter(|y| seen[y * w..][..w].iter().any(|&value| value > 60)).count();
        assert_eq!(inked, (h.min(w) * 20 / 28).max(1), "{h}x{w}");
    }
}

#[test]
fn whole_pictures_are_only_resized() {
    let halves = picture(40, 80, |_, x| if x < 40 { [200, 100, 0, 255] } else { [0, 0, 0, 0] });
    let seen = halves.resized([4, 8, 3]).unwrap();
    assert_eq!(seen[..3], [200, 100, 0]);
    assert_eq!(seen[4 * 8 * 3 - 3..], [255, 255, 255], "transparent is white");
    let seen = halves.resized([4, 8, 1]).unwrap();
    assert_eq!((seen[0], seen[7]), (114, 255), "0.2126 * 200 + 0.7152 * 100");
}

#[test]
fn what_cannot_be_is_refused() {
    let blank = picture(9, 7, |y, x| grey(250 - ((x + y) % 3) as u8));
    assert!(matches!(blank.drawn(SHAPE), Err(DataError::BlankPicture)));
    let clear = picture(3, 3, |_, _| [0, 0, 0, 0]);
    assert!(matches!(clear.drawn(SHAPE), Err(DataError::BlankPicture)));
    for channels in [0, 2, 4] {
        assert!(matches!(blank.resized([8, 8, channels]), Err(DataError::PictureChannels { .. })));
    }
    assert!(matches!(blank.drawn([8, 8, 3]), Err(DataError::PictureChannels { .. })));
    for (height, width, bytes) in [(0, 0, 0), (1, 1, 3), (2, 2, 17), (usize::MAX, usize::MAX, 4)] {
        assert!(matches!(Picture::new(height, width, vec![0; bytes]), Err(DataError::Picture { .. })));
    }
}

#[test]
fn what_is_no_part_of_the_drawing_is_left_out() {
    const SIZE: usize = 240;
    let ring = ring([130, 110], 60.0);
    let base = |y: usize, x: usize| if ring(y, x) { 30 } else { 240 };
    let image = |pixel: &dyn Fn(usize, usize) -> [u8; 4]| {
        picture(SIZE, SIZE, pixel).drawing(SHAPE).unwrap_or_else(|error| panic!("{error}"))
    };
    let expected = image(&|y, x| grey(base(y, x)));
    assert_eq!(expected.doubts, []);
    let edge = |at: usize| at == 0 || at + 1 == SIZE;
    let near =
        |y: usize, x: usize, [cy, cx]: [usize; 2], r: usize| y.abs_diff(cy) <= r && x.abs_diff(cx) <= r;
    let light = |y: usize, x: usize| {
        1.0 - 0.55 * ((y as f32 / 120.0 - 1.0).powi(2) + (x as f32 / 120.0 - 1.0).powi(2)) / 2.0
    };
    let rows: Vec<(&str, Paint<'_, [u8; 4]>)> = vec![
        ("a frame", Box::new(|y, x| grey(if edge(y) || edge(x) { 0 } else { base(y, x) }))),
        ("two sides", Box::new(|y, x| grey(if y < 3 || x < 3 { 60 } else { base(y, x) }))),
        ("a line near the edge", Box::new(|y, x| grey(if y == 11 || x == 228 { 60 } else { base(y, x) }))),
        (
            "a frame inside",
            Box::new(|y, x| {
                let off = y.min(x).min(SIZE - 1 - y).min(SIZE - 1 - x);
                grey(if (20..23).contains(&off) { 20 } else { base(y, x) })
            }),
        ),
        ("ruled", Box::new(|y, x| grey(if y % 31 == 7 { base(y, x).min(110) } else { base(y, x) }))),
        ("a speck", Box::new(|y, x| grey(if near(y, x, [30, 210], 4) { 0 } else { base(y, x) }))),
        ("dark corners", Box::new(|y, x| grey((f32::from(base(y, x)) * light(y, x)) as u8))),
        ("a shadow", Box::new(|y, x| grey(if y + x / 3 < 150 { base(y, x) / 2 } else { base(y, x) }))),
        ("white on clear", Box::new(|y, x| [255, 255, 255, if ring(y, x) { 255 } else { 0 }])),
        (
            "clear corners",
            Box::new(|y, x| {
                let [r, g, b, _] = grey(base(y, x));
                [r, g, b, if y + x < 30 || y + x > 450 { 0 } else { 255 }]
            }),
        ),
    ];
    for (what, pixel) in rows {
        let seen = image(&*pixel);
        let differences = seen.image.iter().zip(&expected.image).map(|(a, b)| u32::from(a.abs_diff(*b)));
        let mean = differences.sum::<u32>() / 784;
        assert!(mean <= 6, "{what}: {mean} on average, {:?}", seen.doubts);
    }
}

#[test]
fn doubts_are_said() {
    let ring_at = |at: [usize; 2], size: f32| ring(at, size);
    let (one, other) = (ring_at([100, 80], 50.0), ring_at([100, 240], 50.0));
    let (cut, tiny) = (ring_at([100, 160], 110.0), ring_at([100, 160], 4.0));
    let rows: Vec<(&str, Paint<'_, u8>, Option<Doubt>)> = vec![
        ("one", Box::new(|y, x| if one(y, x) { 20 } else { 240 }), None),
        (
            "two",
            Box::new(|y, x| if one(y, x) || other(y, x) { 20 } else { 240 }),
            Some(Doubt::SeveralDrawings),
        ),
        ("cut", Box::new(|y, x| if cut(y, x) { 20 } else { 240 }), Some(Doubt::CutOff)),
        ("tiny", Box::new(|y, x| if tiny(y, x) { 20 } else { 240 }), Some(Doubt::Small { pixels: 9 })),
        ("weak", Box::new(|y, x| if one(y, x) { 220 } else { 240 }), Some(Doubt::Faint)),
        (
            "light and dark",
            Box::new(|y, x| {
                if one(y, x) {
                    20
                } else if other(y, x) {
                    235
                } else {
                    128
                }
            }),
            Some(Doubt::LighterAndDarker),
        ),
    ];
    for (what, value, expected) in rows {
        let doubts = picture(200, 320, |y, x| grey(value(y, x))).drawing(SHAPE).unwrap().doubts;
        match expected {
            Some(doubt) => assert!(doubts.contains(&doubt), "{what}: {doubts:?}"),
            None => assert_eq!(doubts, [], "{what}"),
        }
    }
}

/// A disc that grew with the scale, and a line, once took minutes; now both take a moment.
#[test]
fn thin_and_long_pictures_are_judged_too() {
    for (height, width) in [(1, 16_000), (16_000, 1), (3, 60_000), (2, 9), (1, 1)] {
        let inked = |y: usize, x: usize| (height * width > 1) && (y + x) * 3 / (height + width) == 1;
        let picture = picture(height, width, |y, x| grey(if inked(y, x) { 0 } else { 255 }));
        match picture.drawn(SHAPE) {
            Ok(image) => assert_eq!(image.len(), 784, "{height} x {width}"),
            Err(error) => assert!(matches!(error, DataError::BlankPicture), "{height} x {width}: {error}"),
        }
        assert_eq!(picture.resized(SHAPE).unwrap().len(), 784, "{height} x {width}");
    }
}
