//! What becomes of a picture.

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgba, RgbaImage};
use shadegrad::data::{PictureOptions, read_picture};

use crate::place::{Place, encoded, grey, turned};

/// Above dark, below light, at the left half of the height a little lighter.
fn scene() -> DynamicImage {
    GrayImage::from_fn(48, 32, |x, y| Luma([if y < 16 { 40 } else { 200 } + if x < 16 { 30 } else { 0 }]))
        .into()
}

/// The eight orientations of one scene give one image.
#[test]
fn pictures_are_turned_upright() {
    let upright = scene();
    let place = Place::new();
    for orientation in 1..=8 {
        // What a camera stores whose tag turns it upright.
        let stored = match orientation {
            2 => upright.fliph(),
            3 => upright.rotate180(),
            4 => upright.flipv(),
            5 => upright.rotate270().flipv(),
            6 => upright.rotate270(),
            7 => upright.rotate90().flipv(),
            8 => upright.rotate90(),
            _ => upright.clone(),
        };
        let jpeg = turned(&encoded(&stored, ImageFormat::Jpeg), orientation);
        place.write(&format!("{}/{orientation}.jpg", orientation % 2), &jpeg);
    }
    // All have one size once they are upright, which nothing is done to.
    let sets = place.load();
    assert_eq!(sets.train.shape().dims(), [32, 48, 1]);
    for image in sets.train.images().chunks(32 * 48).chain(sets.test.images().chunks(32 * 48)) {
        for (value, expected) in image.iter().zip(upright.as_bytes()) {
            assert!(value.abs_diff(*expected) < 12, "{value} is not near {expected}");
        }
    }
}

#[test]
fn transparent_parts_are_white() {
    let place = Place::new();
    let clear =
        RgbaImage::from_fn(8, 8, |x, _| if x < 4 { Rgba([200, 10, 10, 255]) } else { Rgba([0, 0, 0, 0]) });
    for (number, ending) in ["png", "webp", "png", "webp"].into_iter().enumerate() {
        place.put(&format!("{}/{number}.{ending}", number % 2), &clear.clone().into());
    }
    let sets = place.load();
    for image in sets.train.images().chunks(8 * 8 * 3) {
        for (at, pixel) in image.chunks(3).enumerate() {
            assert_eq!(pixel, if at % 8 < 4 { [200, 10, 10] } else { [255; 3] });
        }
    }
}

#[test]
fn sixteen_bits_become_eight() {
    let place = Place::new();
    let wide = image::ImageBuffer::from_fn(8, 8, |x, y| Luma([(x * 8 + y) as u16 * 1040]));
    for name in ["a/0.png", "a/1.png", "b/2.png"] {
        place.put(name, &DynamicImage::ImageLuma16(wide.clone()));
    }
    let image = place.load().train.image(0).unwrap().to_vec();
    for (at, value) in image.iter().enumerate() {
        assert_eq!(u32::from(*value), ((at as u32 % 8 * 8 + at as u32 / 8) * 1040 * 255 + 32_767) / 65_535);
    }
}

/// A program that reads a single picture sees what a model was trained on.
#[test]
fn a_picture_by_itself_is_read_as_in_a_folder() {
    let place = Place::new();
    for number in 0..6u32 {
        let picture = image::RgbImage::from_fn(90 + 7 * number, 150, |x, y| {
            image::Rgb([(x * 3 + number) as u8, (x * y / 5) as u8, (y * 2) as u8])
        });
        place.put(
            &format!("train/{}/{number}.{}", number % 2, ["png", "jpg", "bmp"][number as usize % 3]),
            &picture.into(),
        );
        place.put(&format!("test/{}/{number}.png", number % 2), &grey(150, 90, 3));
    }
    let sets = place.load_with(&PictureOptions { size: Some([40, 24]), ..PictureOptions::default() });
    let folder: Vec<&[u8]> = sets.train.images().chunks(40 * 24 * 3).collect();
    let validation = sets.validation.unwrap();
    for number in 0..6 {
        let path =
            place.path(&format!("train/{}/{number}.{}", number % 2, ["png", "jpg", "bmp"][number % 3]));
        let image = read_picture(&path).unwrap().fitted([40, 24, 3]).unwrap();
        assert!(folder.contains(&&image[..]) || validation.images() == image, "{number}");
    }
    let error = read_picture(&place.path("none.png")).unwrap_err().to_string();
    assert!(error.contains("none.png: cannot be read: "), "{error}");
}
