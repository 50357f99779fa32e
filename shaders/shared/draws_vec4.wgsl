// The draws of four elements: a block of the generator.
fn draws(index: u32) -> Index {
    return philox(vec4u(index, batch.number, LAYER, PURPOSE), vec2u(batch.seed_low, batch.seed_high));
}
