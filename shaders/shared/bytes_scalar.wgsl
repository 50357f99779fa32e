// Real p of an image, of the word that it is in: one byte.
fn bytes_of(word: u32, p: u32) -> u32 {
    return (word >> (8u * (p % 4u))) & 255u;
}
