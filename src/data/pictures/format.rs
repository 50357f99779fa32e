//! What a file is, recognised by its first bytes.

use super::error::PictureError;

/// The number of bytes that are checked.
pub(super) const LOOKED_AT: usize = 1024;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    WebP,
    Bmp,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// Offset, bytes, and the kind of file that has them there.
const OTHERS: &[(usize, &[u8], &str)] = &[
    (0, b"GIF8", "a GIF picture"),
    (0, b"II*\0", "a TIFF or camera raw picture"),
    (0, b"MM\0*", "a TIFF or camera raw picture"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyphei", "a HEIC picture"),
    (4, b"ftyphev", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIC picture"),
    (4, b"ftypmsf1", "a HEIC picture"),
    (4, b"ftyp", "a film"),
    (4, b"JXL ", "a JPEG XL picture"),
    (0, &[0xff, 0x0a], "a JPEG XL picture"),
    (4, b"jP  ", "a JPEG 2000 picture"),
    (0, &[0xff, 0x4f, 0xff, 0x51], "a JPEG 2000 picture"),
    (0, b"8BPS", "a Photoshop picture"),
    (0, b"\0\0\x01\0", "an icon"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip file"),
];

impl Format {
    /// As messages name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::WebP => "WebP",
            Format::Bmp => "BMP",
        }
    }
}

/// The format of a file that begins like this. The error says what else it is, if that is known.
pub(super) fn of(start: &[u8]) -> Result<Format, PictureError> {
    let has = |at: usize, bytes: &[u8]| start.get(at..).is_some_and(|rest| rest.starts_with(bytes));
    let known = [
        (has(0, PNG), Format::Png),
        (has(0, JPEG), Format::Jpeg),
        (has(0, b"RIFF") && has(8, b"WEBP"), Format::WebP),
        (has(0, b"BM"), Format::Bmp),
    ];
    if let Some((_, format)) = known.into_iter().find(|(is, _)| *is) {
        return Ok(format);
    }
    if let Some((_, _, what)) = OTHERS.iter().find(|(at, bytes, _)| has(*at, bytes)) {
        return Err(PictureError::OtherFormat { what });
    }
    let text = String::from_utf8_lossy(start).to_lowercase();
    if text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('<') && text.contains("<svg")
    {
        return Err(PictureError::OtherFormat { what: "an SVG drawing" });
    }
    Err(if start.is_empty() { PictureError::Empty } else { PictureError::Unknown })
}
