// Real p of an image, of the word that it is: four bytes, the first in the lowest.
fn bytes_of(word: u32, p: u32) -> vec4u {
    return (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
}
