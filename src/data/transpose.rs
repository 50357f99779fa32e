//! Swapping the rows and columns of images.

use rayon::prelude::*;

/// Swaps rows and columns of every image: `[n, h, w, c]` becomes `[n, w, h, c]`, `new[n, x, y, c] = old[n, y, x, c]`.
///
/// `shape` is `[h, w, c]` as before. Bytes after the last whole image stay.
pub fn transpose(images: &mut [u8], shape: [usize; 3]) {
    let [h, w, c] = shape;
    let Some(size) = h.checked_mul(w).and_then(|size| size.checked_mul(c)).filter(|&size| size > 0) else {
        return;
    };
    images.par_chunks_exact_mut(size).for_each_init(Vec::new, |old: &mut Vec<u8>, image| {
        old.clear();
        old.extend_from_slice(image);
        for (at, pixel) in image.chunks_exact_mut(c).enumerate() {
            let (x, y) = (at / h, at % h);
            pixel.copy_from_slice(&old[(y * w + x) * c..][..c]);
        }
    });
}
