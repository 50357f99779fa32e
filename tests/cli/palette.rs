//! `predict`: a PNG file with an invalid palette, on which its decoder panics.

use std::fs;

use crate::sandbox::Sandbox;

/// Two pixels of two bits each, with a palette of this many bytes.
fn png(palette: usize) -> Vec<u8> {
    let header = [0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 0, 0, 0];
    // A row without a filter, stored uncompressed.
    let row = [0x78, 0x01, 0x01, 2, 0, 0xfd, 0xff, 0, 0x40, 0x00, 0x42, 0x00, 0x41];
    let chunks: [(&[u8; 4], &[u8]); 4] =
        [(b"IHDR", &header), (b"PLTE", &[200; 999][..palette]), (b"IDAT", &row), (b"IEND", &[])];
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in chunks {
        let mut crc = flate2::Crc::new();
        crc.update(name);
        crc.update(data);
        let parts: [&[u8]; 4] = [&(data.len() as u32).to_be_bytes(), name, data, &crc.sum().to_be_bytes()];
        bytes.extend(parts.concat());
    }
    bytes
}

#[test]
fn a_palette_of_parts_of_colours_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --epochs 1 --out run");
    // (bytes of the palette, whether it is valid)
    let whole = [3, 6, 12, 768].map(|bytes| (bytes, true));
    let damaged = [0, 1, 2, 4, 11, 770, 771, 999].map(|bytes| (bytes, false));
    for (palette, is_whole) in whole.into_iter().chain(damaged) {
        fs::write(sandbox.path("picture.png"), png(palette)).unwrap();
        let outcome = sandbox.run("predict run picture.png --plain --device cpu");
        assert_eq!(outcome.code, i32::from(!is_whole), "{palette} bytes: {outcome:?}");
        let said = outcome.stderr.contains("picture.png: is damaged");
        assert_eq!(said, !is_whole, "{palette} bytes: {}", outcome.stderr);
    }
}
