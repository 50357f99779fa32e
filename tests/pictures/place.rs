//! Folders with pictures, made for a test.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat};
use shadegrad::data::{PictureOptions, PictureSets, load_pictures};
use tempfile::TempDir;

pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    /// With these pictures, one of its own grey each, of 8 x 8 pixels.
    pub fn with(names: &[&str]) -> Self {
        let place = Place::new();
        for (number, name) in names.iter().enumerate() {
            place.put(name, &grey(8, 8, number as u8));
        }
        place
    }

    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and the folders that it is in.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes a picture in the format of its name.
    pub fn put(&self, name: &str, picture: &DynamicImage) {
        self.write(name, &encoded(picture, ImageFormat::from_path(name).unwrap()));
    }

    pub fn load(&self) -> PictureSets {
        load_pictures(self.dir(), &PictureOptions::default()).unwrap()
    }

    pub fn load_with(&self, options: &PictureOptions) -> PictureSets {
        load_pictures(self.dir(), options).unwrap()
    }

    /// What is wrong with the folder.
    pub fn problem(&self) -> String {
        load_pictures(self.dir(), &PictureOptions::default()).unwrap_err().to_string()
    }
}

/// A picture of one grey.
pub fn grey(height: u32, width: u32, value: u8) -> DynamicImage {
    image::GrayImage::from_pixel(width, height, image::Luma([value])).into()
}

pub fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    // JPEG has no alpha, WebP no grey.
    let picture = match format {
        ImageFormat::WebP => picture.to_rgba8().into(),
        _ => picture.clone(),
    };
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG file with a tag of its orientation.
pub fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif =
        [b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" as &[u8], &[orientation, 0, 0, 0], &[0; 4]]
            .concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}
