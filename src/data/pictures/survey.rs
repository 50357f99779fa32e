//! What the headers of pictures say, and the size and channels that follow from it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use rayon::prelude::*;
use serde::Serialize;

use super::decode::{decode_file, header_of};
use super::decoded::Header;
use super::error::{PictureError, PictureFolderError};
use super::folders::File;
use super::format::Format;
use super::limits::LARGE;

/// Sides of images that are chosen here: multiples of the first, from the second to the third.
const STEP: u64 = 32;
const SMALLEST: u64 = 32;
const LARGEST: u64 = 128;
/// Sides of images that may be asked for.
pub(crate) const MOST_ASKED: usize = 4096;

/// The sizes of pictures, as their headers tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PictureSizes {
    /// The smallest height and the smallest width.
    pub smallest: [usize; 2],
    /// The median of the heights and that of the widths; of two in the middle the lower.
    pub median: [usize; 2],
    /// The largest height and the largest width.
    pub largest: [usize; 2],
    /// How many pictures there are of each format.
    pub formats: BTreeMap<String, usize>,
}

/// The headers of pictures, in their order.
#[derive(Debug)]
pub(super) struct Survey(Vec<Result<(Format, Header), PictureError>>);

impl Survey {
    pub fn of(files: &[&File]) -> Self {
        Survey(files.par_iter().map(|file| header_of(&file.found.path)).collect())
    }

    pub fn at(paths: &[PathBuf]) -> Self {
        Survey(paths.par_iter().map(|path| header_of(path)).collect())
    }

    fn headers(&self) -> impl Iterator<Item = &(Format, Header)> {
        self.0.iter().flatten()
    }

    /// Whether the system let every header be read.
    pub fn is_whole(&self) -> bool {
        let is_refused = |found: &Result<_, PictureError>| {
            matches!(found, Err(PictureError::Io { .. } | PictureError::Memory { .. }))
        };
        !self.0.iter().any(is_refused)
    }

    /// `None` where no header can be read.
    pub fn sizes(&self) -> Option<PictureSizes> {
        let mut sides = [Vec::new(), Vec::new()];
        let mut formats = BTreeMap::new();
        for (format, header) in self.headers() {
            sides[0].push(header.height as usize);
            sides[1].push(header.width as usize);
            *formats.entry(format.name().to_owned()).or_default() += 1;
        }
        sides.iter_mut().for_each(|sides| sides.sort_unstable());
        let at = |place: fn(usize) -> usize| {
            let side = |sides: &Vec<usize>| sides.get(place(sides.len().checked_sub(1)?)).copied();
            Some([side(&sides[0])?, side(&sides[1])?])
        };
        Some(PictureSizes {
            smallest: at(|_| 0)?,
            median: at(|last| last / 2)?,
            largest: at(|last| last)?,
            formats,
        })
    }

    /// Height and width of the images: those of the pictures where all have the same, of at most 128; else a square of the median
    /// of their shorter sides, rounded down to a multiple of 32, from 32 to 128.
    pub fn size(&self) -> Option<[usize; 2]> {
        let sizes = || self.headers().map(|(_, header)| [header.height, header.width]);
        let first = sizes().next()?;
        if first.iter().all(|&side| side <= LARGEST) && sizes().all(|size| size == first) {
            return Some(first.map(|side| side as usize));
        }
        let mut shorter: Vec<u64> = sizes().map(|[height, width]| height.min(width)).collect();
        shorter.sort_unstable();
        let median = shorter[(shorter.len() - 1) / 2];
        Some([(median / STEP * STEP).clamp(SMALLEST, LARGEST) as usize; 2])
    }

    /// How many pixels each picture has, or why it cannot be read.
    pub fn pixels(&self) -> impl Iterator<Item = Result<u64, &PictureError>> {
        self.0.iter().map(|found| found.as_ref().map(|(_, header)| header.height * header.width))
    }

    /// 1 where all pictures are grey, else 3. Pictures that may have colours are decoded until one has.
    pub fn channels(&self, files: &[&File]) -> usize {
        let large = Mutex::new(());
        let grey = self.0.par_iter().zip(files).all(|(found, file)| match found {
            Ok((_, header)) if header.grey => true,
            Ok((_, header)) => {
                let _alone = (header.height * header.width > LARGE).then(|| large.lock());
                is_grey(file)
            }
            Err(_) => true,
        });
        if grey { 1 } else { 3 }
    }
}

/// One that cannot be decoded does not decide.
fn is_grey(file: &File) -> bool {
    decode_file(&file.found.path).map_or(true, |decoded| decoded.pixels.are_grey())
}

/// Refuses a size or a number of channels that images cannot have.
pub(super) fn check_asked(
    size: Option<[usize; 2]>,
    channels: Option<usize>,
) -> Result<(), PictureFolderError> {
    if let Some(found) = size.filter(|size| !size.iter().all(|side| (1..=MOST_ASKED).contains(side))) {
        return Err(PictureFolderError::Size { found, most: MOST_ASKED });
    }
    match channels {
        None | Some(1 | 3) => Ok(()),
        Some(found) => Err(PictureFolderError::Channels { found }),
    }
}
