//! JPEG: the needed parts of the file are read up to the end of the picture, and checked before they are decoded.

use std::io::{self, BufRead, Cursor, Read};

use image::codecs::jpeg::JpegDecoder;
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder};

use super::decoded::{Decoded, Header};
use super::error::PictureError;
use super::limits::{check_cost, check_size};

/// Markers (ITU-T T.81, table B.1): 255 and one of these.
const MARK: u8 = 0xff;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const PROGRESSIVE: [u8; 4] = [0xc2, 0xc6, 0xca, 0xce];
/// Among the numbers of frames, those that are not frames: tables of codes, and an extension.
const NO_FRAMES: [u8; 3] = [0xc4, 0xc8, 0xcc];
const FIRST_FRAME: u8 = 0xc0;
const LAST_FRAME: u8 = 0xcf;
/// Application segments. Only those of cameras (orientation) and Adobe (colours) are needed.
const APPLICATIONS: std::ops::RangeInclusive<u8> = 0xe0..=0xef;
const CAMERA: u8 = 0xe1;
const CAMERA_NAME: &[u8] = b"Exif\0";
const ADOBE: u8 = 0xee;
const COMMENT: u8 = 0xfe;
/// Each scan covers the whole picture; programs write about ten.
const MOST_SCANS: usize = 100;
/// The decoder's memory for the picture, in bytes per pixel and channel, and per coefficient.
const COLOURS: u64 = 3;
const COEFFICIENT: u64 = 2;
/// The decoder has its own copy of the file.
const COPIES: u64 = 2;
/// The smallest unit of coding is at most four blocks of eight pixels a side.
const LARGEST_UNIT: u64 = 32;

/// The picture, of one channel or of three.
pub(super) fn decode(source: impl BufRead) -> Result<Decoded, PictureError> {
    let bytes = Scanner::new(source).read()?;
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(refused)?;
    let turned = decoder.orientation().map_err(refused)?;
    Decoded::upright(DynamicImage::from_decoder(decoder).map_err(refused)?, turned)
}

/// What stands before the pixels.
pub(super) fn header(source: impl BufRead) -> Result<Header, PictureError> {
    Scanner::new(source).header()
}

/// The header of a frame.
struct Frame {
    height: u64,
    width: u64,
    /// Numbers of a pixel: 1 for grey.
    components: usize,
    progressive: bool,
    /// Bytes of all coefficients.
    coefficients: u64,
}

struct Scanner<R> {
    source: R,
    bytes: Vec<u8>,
    frame: Option<Frame>,
    turned: Orientation,
    scans: usize,
}

impl<R: BufRead> Scanner<R> {
    fn new(source: R) -> Self {
        Scanner { source, bytes: Vec::new(), frame: None, turned: Orientation::NoTransforms, scans: 0 }
    }

    /// The file up to the end of the picture, without the parts that are not needed. What follows is ignored: phones
    /// put films there. A truncated file has no end; the decoder would fill the missing part with grey.
    fn read(mut self) -> Result<Vec<u8>, PictureError> {
        self.begin()?;
        while self.step()? != END {}
        self.bytes.extend([MARK, END]);
        Ok(self.bytes)
    }

    /// The size in the header of the first frame.
    fn header(mut self) -> Result<Header, PictureError> {
        self.begin()?;
        loop {
            let marker = self.step()?;
            if let Some(Frame { height, width, components, .. }) = self.frame {
                return Ok(Header::turned(height, width, components == 1, self.turned));
            }
            if marker == END || marker == SCAN {
                return Err(PictureError::damaged("its picture has no size"));
            }
        }
    }

    fn begin(&mut self) -> Result<(), PictureError> {
        let mut start = [0; 2];
        self.source.read_exact(&mut start)?;
        self.bytes.extend(start);
        Ok(())
    }

    /// Reads up to the next marker and its segment, which is kept where it is needed. Returns the marker.
    fn step(&mut self) -> Result<u8, PictureError> {
        let marker = self.marker()?.ok_or_else(cut)?;
        if marker == END {
            return Ok(marker);
        }
        let segment = self.segment()?;
        let camera = if marker == CAMERA { segment[2..].strip_prefix(CAMERA_NAME) } else { None };
        if let Some(turned) = camera.and_then(|exif| Orientation::from_exif_chunk(exif.get(1..)?)) {
            self.turned = turned;
        }
        if marker != COMMENT && (!APPLICATIONS.contains(&marker) || marker == ADOBE || camera.is_some()) {
            self.bytes.extend([MARK, marker]);
            self.bytes.extend_from_slice(&segment);
        }
        if (FIRST_FRAME..=LAST_FRAME).contains(&marker) && !NO_FRAMES.contains(&marker) {
            self.frame = frame(marker, &segment);
            self.frame.as_ref().map_or(Ok(()), |frame| check_size(frame.height, frame.width))?;
        }
        self.scans += usize::from(marker == SCAN);
        self.weigh()?;
        Ok(marker)
    }

    /// The next marker that is followed by a length, or that of the end; bytes before it are kept. Within a scan 255
    /// is followed by 0, or by a restart marker; neither has a length.
    fn marker(&mut self) -> Result<Option<u8>, PictureError> {
        let mut marked = false;
        loop {
            let buffer = self.source.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            if marked {
                let marker = buffer[0];
                self.source.consume(1);
                match marker {
                    0x00 | 0x01 | 0xd0..=0xd8 => self.bytes.extend([MARK, marker]),
                    // Filling.
                    MARK => continue,
                    _ => return Ok(Some(marker)),
                }
                marked = false;
                continue;
            }
            let plain = buffer.iter().position(|byte| *byte == MARK);
            let count = plain.unwrap_or(buffer.len());
            self.bytes.extend_from_slice(&buffer[..count]);
            marked = plain.is_some();
            self.source.consume(count + usize::from(marked));
            self.weigh()?;
        }
    }

    /// A length, which includes its own bytes, and the bytes that it counts.
    fn segment(&mut self) -> Result<Vec<u8>, PictureError> {
        let mut segment = vec![0; 2];
        self.source.read_exact(&mut segment).map_err(|_| cut())?;
        let length = u64::from(u16::from_be_bytes([segment[0], segment[1]]));
        let rest =
            length.checked_sub(2).ok_or_else(|| PictureError::damaged("a segment of it has no length"))?;
        let read = (&mut self.source).take(rest).read_to_end(&mut segment)?;
        if (read as u64) < rest { Err(cut()) } else { Ok(segment) }
    }

    /// Refuses a picture that would take more memory to decode than its size allows.
    fn weigh(&self) -> Result<(), PictureError> {
        let (pixels, progressive, coefficients) = self.frame.as_ref().map_or((0, false, 0), |frame| {
            (frame.height * frame.width, frame.progressive, frame.coefficients)
        });
        let kept = progressive || self.scans > 1;
        let whole = COPIES * self.bytes.len() as u64 + COLOURS * pixels + if kept { coefficients } else { 0 };
        check_cost(whole, pixels, kept)?;
        if self.scans > MOST_SCANS {
            return Err(PictureError::Scans { most: MOST_SCANS });
        }
        Ok(())
    }
}

fn cut() -> PictureError {
    PictureError::damaged("its picture has no end")
}

/// The segment of a frame (T.81, B.2.2): length, precision, height, width, and for each component a name and its
/// sampling. `None` where it is too short: the decoder's message is better.
fn frame(marker: u8, segment: &[u8]) -> Option<Frame> {
    let side = |at: usize| Some(u64::from(u16::from_be_bytes(*segment.get(at..)?.first_chunk()?)));
    let (height, width) = (side(3)?, side(5)?);
    let count = usize::from(*segment.get(7)?);
    let sampling: Option<Vec<[u64; 2]>> = (0..count)
        .map(|at| {
            segment.get(9 + 3 * at).map(|both| [u64::from(both >> 4).max(1), u64::from(both & 15).max(1)])
        })
        .collect();
    let sampling = sampling?;
    let most = |axis: usize| sampling.iter().map(|both| both[axis]).max().unwrap_or(1);
    let samples: u64 = sampling.iter().map(|[across, down]| across * down).sum();
    // A plane's size is its share of the largest plane; at the edges whole units are kept.
    let padded = (height.next_multiple_of(LARGEST_UNIT)) * (width.next_multiple_of(LARGEST_UNIT));
    let coefficients = COEFFICIENT * padded * samples / (most(0) * most(1));
    Some(Frame { height, width, components: count, progressive: PROGRESSIVE.contains(&marker), coefficients })
}

fn refused(error: ImageError) -> PictureError {
    match error {
        ImageError::IoError(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => {
            PictureError::Io { cause }
        }
        error => PictureError::damaged(error),
    }
}
