//! Data sets.

use std::path::Path;

use shadegrad::data::{TrainTest, sets_from_bytes};
use wasm_bindgen::prelude::*;

use crate::error::told;

/// What is trained on and what is tested with.
#[wasm_bindgen]
pub struct DataSet {
    /// As a run records it: `mnist`, or what the user calls it.
    pub(crate) name: String,
    pub(crate) sets: TrainTest,
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
        Ok(DataSet { name: name.to_owned(), sets: sets.map_err(told)? })
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
