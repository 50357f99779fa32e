//! Data sets.

use std::path::Path;

use shadegrad::data::{Dataset, Picture, TrainTest, sets_from_bytes, three_sets};
use shadegrad::io::ModelFile;
use wasm_bindgen::prelude::*;

use crate::error::told;

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
    /// From the contents of the four IDX files of MNIST or of a set modelled on it, plain or compressed by gzip.
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
    ) -> Result<DataSet, JsError> {
        let file = |name: &'static str| Path::new(name);
        let sets = sets_from_bytes(
            [(file("training images"), train_images), (file("training labels"), train_labels)],
            [(file("test images"), test_images), (file("test labels"), test_labels)],
        );
        Ok(DataSet { name: name.to_owned(), sets: sets.map_err(told)?, validation: None, pictures: None })
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

/// Pictures on their way to a data set: a class for each folder.
#[wasm_bindgen]
pub struct Pictures {
    shape: [usize; 3],
    /// Their paths, classes, and bytes.
    all: Vec<(String, String, Vec<u8>)>,
}

#[wasm_bindgen]
impl Pictures {
    /// For images of this height and width, grey (1) or in colours (3).
    #[wasm_bindgen(constructor)]
    pub fn new(size: usize, channels: usize) -> Self {
        Pictures { shape: [size, size, channels], all: Vec::new() }
    }

    /// Takes a picture of this width, four bytes to a pixel: scaled until its shorter side fits, what is then too long cut off at both
    /// ends. Its class is the folder that its path ends in.
    ///
    /// # Errors
    /// When the bytes are not such a picture, or it is in no folder.
    pub fn add(&mut self, path: String, rgba: Vec<u8>, width: usize) -> Result<(), JsError> {
        let folder = path.rsplit_once('/').map(|(folders, _)| folders.rsplit('/').next().unwrap_or(folders));
        let Some(class) = folder.filter(|class| !class.is_empty()).map(str::to_owned) else {
            return Err(JsError::new(&format!("`{path}` is in no folder; a class is a folder of pictures")));
        };
        let image = picture(rgba, width)?.fitted(self.shape).map_err(told)?;
        self.all.push((path, class, image));
        Ok(())
    }

    /// The data set: 80 of a hundred to train on, 10 to validate with and 10 to test on, by classes and a seed.
    ///
    /// # Errors
    /// When there are too few, or only one class.
    pub fn finish(mut self, name: &str, seed: u32) -> Result<DataSet, JsError> {
        self.all.sort();
        let mut classes: Vec<&str> = self.all.iter().map(|(_, class, _)| class.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        if classes.len() < 2 {
            let found = classes
                .first()
                .map_or("no pictures".to_owned(), |class| format!("only the folder `{class}`"));
            return Err(JsError::new(&format!(
                "there is {found}; a class is a folder of pictures, and there must be two at least"
            )));
        }
        let labels: Vec<u8> = self
            .all
            .iter()
            .map(|(_, class, _)| classes.binary_search(&class.as_str()).unwrap_or_default())
            .map(u8::try_from)
            .collect::<Result<_, _>>()
            .map_err(|_| JsError::new("there are more than 256 classes"))?;
        let images: Vec<u8> = self.all.iter().flat_map(|(_, _, image)| image).copied().collect();
        let all = Dataset::new(images, labels, self.shape, classes.len()).map_err(told)?;
        let all = all.with_class_names(classes.into_iter().map(str::to_owned).collect()).map_err(told)?;
        let [train, validation, test] = three_sets(&all, seed.into()).map_err(told)?;
        let [height, width, channels] = self.shape;
        Ok(DataSet {
            name: name.to_owned(),
            sets: TrainTest { train, test },
            validation: Some(validation),
            pictures: Some(([height, width], channels, seed)),
        })
    }
}

/// A picture of this width, four bytes to a pixel.
pub(crate) fn picture(rgba: Vec<u8>, width: usize) -> Result<Picture, JsError> {
    Picture::new(rgba.len() / 4 / width.max(1), width, rgba).map_err(told)
}
