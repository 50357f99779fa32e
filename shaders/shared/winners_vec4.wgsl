// The winners of four channels share a word, a byte each, the first in the lowest.
fn winners_kept(winners: vec4u) -> u32 {
    let bytes = winners << vec4u(0u, 8u, 16u, 24u);
    return bytes.x | bytes.y | bytes.z | bytes.w;
}

fn winners_in(word: u32) -> vec4u {
    return (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
}
