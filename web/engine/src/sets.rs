//! Data sets.

use std::collections::BTreeMap;
use std::path::Path;

use shadegrad::data::{Dataset, Picture, TrainTest, sets_from_bytes, three_ways};
use shadegrad::io::ModelFile;
use wasm_bindgen::prelude::*;

use crate::error::told;
use crate::places::Places;

/// What is trained on and what is tested with.
#[wasm_bindgen]
pub struct DataSet {
    /// As a run records it: `mnist`, or what the user calls it.
    pub(crate) name: String,
    pub(crate) sets: TrainTest,
    pub(crate) validation: Option<Dataset>,
    /// Of pictures: height and width, channels, and the seed of the split.
    pub(crate) pictures: Option<([usize; 2], usize, u32)>,
}

#[wasm_bindgen]
impl DataSet {
    /// From the contents of the four IDX files of MNIST or of a set modelled on it, plain or compressed by gzip, and what its classes are
    /// called; no names where that is not known.
    ///
    /// # Errors
    /// When a file is damaged, or they do not fit together.
    #[wasm_bindgen(js_name = fromIdx)]
    pub fn from_idx(
        name: &str,
        train_images: &[u8],
        train_labels: &[u8],
        test_images: &[u8],
        test_labels: &[u8],
        class_names: Vec<String>,
    ) -> Result<DataSet, JsError> {
        let file = |name: &'static str| Path::new(name);
        let sets = sets_from_bytes(
            [(file("training images"), train_images), (file("training labels"), train_labels)],
            [(file("test images"), test_images), (file("test labels"), test_labels)],
        );
        let TrainTest { train, test } = sets.map_err(told)?;
        let named = |set: Dataset| match class_names.is_empty() {
            true => Ok(set),
            false => set.with_class_names(class_names.clone()).map_err(told),
        };
        let sets = TrainTest { train: named(train)?, test: named(test)? };
        Ok(DataSet { name: name.to_owned(), sets, validation: None, pictures: None })
    }

    /// The model file for pictures with the shape and the classes of these, and as long a training as the program gives them.
    ///
    /// # Errors
    /// When they are not images of two classes at least.
    #[wasm_bindgen(js_name = pictureModel)]
    pub fn picture_model(&self) -> Result<String, JsError> {
        ModelFile::for_pictures(&self.sets.train).map_err(told)?.to_toml().map_err(told)
    }

    /// Height, width and channels of a sample; none for rows of numbers.
    #[wasm_bindgen(getter)]
    pub fn shape(&self) -> Vec<u32> {
        self.sets.train.shape().image().map_or_else(Vec::new, |shape| shape.map(|size| size as u32).to_vec())
    }

    /// What the classes are called; empty where that is not known.
    #[wasm_bindgen(getter, js_name = classNames)]
    pub fn class_names(&self) -> Vec<String> {
        self.sets.train.class_names().to_vec()
    }

    /// Samples to train on, and to test with.
    #[wasm_bindgen(getter)]
    pub fn samples(&self) -> Vec<u32> {
        [&self.sets.train, &self.sets.test].map(|set| set.len() as u32).to_vec()
    }

    /// The bytes of a sample to test with; none past the last.
    #[wasm_bindgen(js_name = testImage)]
    pub fn test_image(&self, number: usize) -> Vec<u8> {
        self.sets.test.image(number).unwrap_or_default().to_vec()
    }

    /// The class of a sample to test with.
    #[wasm_bindgen(js_name = testLabel)]
    pub fn test_label(&self, number: usize) -> Option<u32> {
        self.sets.test.label(number)
    }
}

/// Pictures on their way to a data set, of which their paths say the classes and the sets.
#[wasm_bindgen]
pub struct Pictures {
    shape: [usize; 3],
    places: Places,
    /// By the numbers of their paths; those that could not be read are missing.
    images: BTreeMap<usize, Vec<u8>>,
}

#[wasm_bindgen]
impl Pictures {
    /// For images of this height and width, grey (1) or in colours (3), at these paths, with folders for classes, or for `train`, `val` and
    /// `test` with classes in them.
    ///
    /// # Errors
    /// When there is only one class, or folders of sets and of classes are mixed.
    #[wasm_bindgen(constructor)]
    pub fn new(paths: Vec<String>, size: usize, channels: usize) -> Result<Pictures, JsError> {
        let places = Places::of(&paths).map_err(|problem| JsError::new(&problem))?;
        Ok(Pictures { shape: [size, size, channels], places, images: BTreeMap::new() })
    }

    /// Whether the path of this number is in a folder of a class.
    #[wasm_bindgen(js_name = hasPlace)]
    pub fn has_place(&self, number: usize) -> bool {
        self.places.all.get(number).is_some_and(Option::is_some)
    }

    /// Takes the picture of this path, of this width, four bytes to a pixel: scaled until its shorter side fits, what is then too long cut
    /// off at both ends.
    ///
    /// # Errors
    /// When the bytes are not such a picture.
    pub fn add(&mut self, number: usize, rgba: Vec<u8>, width: usize) -> Result<(), JsError> {
        let image = picture(rgba, width)?.fitted(self.shape).map_err(told)?;
        self.images.insert(number, image);
        Ok(())
    }

    /// The data set: the sets that folders say; of what none says, 80 of a hundred to train on, 10 to validate with and 10 to test on,
    /// by classes and a seed. A set that has no folder is a tenth of the training set's.
    ///
    /// # Errors
    /// When there are too few.
    pub fn finish(self, name: &str, seed: u32) -> Result<DataSet, JsError> {
        let [mut train, mut validation, mut test] = [0, 1, 2].map(|set| self.set(set));
        let labels: Vec<u32> = train.iter().map(|&(class, _)| class as u32).collect();
        if !(self.places.given[1] && self.places.given[2]) {
            let [stays, held, tested] = three_ways(Some(&labels), labels.len(), seed.into()).map_err(told)?;
            let pick = |numbers: &[u32]| numbers.iter().map(|&at| train[at as usize]).collect::<Vec<_>>();
            let [mut first, second, third] = [&stays, &held, &tested].map(|part| pick(part));
            match self.places.given {
                [_, false, true] => validation = third,
                [_, true, false] => test = third,
                _ => (validation, test) = (second.clone(), third),
            }
            if self.places.given[1] || self.places.given[2] {
                first.extend(second);
                first.sort_unstable();
            }
            train = first;
        }
        let set = |pictures: &[(usize, usize)]| {
            let labels =
                pictures.iter().map(|&(class, _)| u8::try_from(class)).collect::<Result<Vec<_>, _>>();
            let labels = labels.map_err(|_| JsError::new("there are more than 256 classes"))?;
            let images = pictures.iter().flat_map(|(_, number)| &self.images[number]).copied().collect();
            let names = pictures.iter().map(|&(_, number)| &self.places.names[number]);
            let classes = &self.places.classes;
            let set = Dataset::new(images, labels, self.shape, classes.len()).map_err(told)?;
            set.with_class_names(classes.clone()).and_then(|set| set.with_sample_names(names)).map_err(told)
        };
        let [height, width, channels] = self.shape;
        Ok(DataSet {
            name: name.to_owned(),
            validation: Some(set(&validation)?),
            sets: TrainTest { train: set(&train)?, test: set(&test)? },
            pictures: Some(([height, width], channels, seed)),
        })
    }
}

impl Pictures {
    /// The pictures of a set: their classes and the numbers of their paths, in this order.
    fn set(&self, wanted: usize) -> Vec<(usize, usize)> {
        let of_class = |&number: &usize| {
            self.places.all[number].filter(|place| place.set == wanted).map(|place| (place.class, number))
        };
        let mut found: Vec<(usize, usize)> = self.images.keys().filter_map(of_class).collect();
        found.sort_unstable();
        found
    }
}

/// A picture of this width, four bytes to a pixel.
pub(crate) fn picture(rgba: Vec<u8>, width: usize) -> Result<Picture, JsError> {
    Picture::new(rgba.len() / 4 / width.max(1), width, rgba).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two classes thirty pictures each, all of one grey that tells which one it is.
    #[test]
    fn pictures_keep_their_names() {
        for folder in ["", "train/"] {
            let paths: Vec<String> =
                (0..60).map(|at| format!("pets/{folder}{}/{at}.png", ["cat", "dog"][at % 2])).collect();
            let Ok(mut pictures) = Pictures::new(paths, 2, 1) else { panic!("{folder}: refused") };
            for at in 0..60 {
                let grey = at as u8 * 4;
                let rgba = [grey, grey, grey, 255].repeat(4);
                assert!(pictures.add(at, rgba, 2).is_ok());
            }
            let Ok(data) = pictures.finish("pets", 3) else { panic!("{folder}: no data") };
            let mut seen = 0;
            for set in [&data.sets.train, &data.sets.test, data.validation.as_ref().unwrap()] {
                for at in 0..set.len() {
                    let image = set.image(at).unwrap();
                    let number = usize::from(image[0]) / 4;
                    let class = ["cat", "dog"][number % 2];
                    assert_eq!(set.sample_name(at), Some(&*format!("{folder}{class}/{number}.png")));
                    assert_eq!(set.label(at), Some(number as u32 % 2));
                    seen += 1;
                }
            }
            assert_eq!(seen, 60);
        }
    }
}
