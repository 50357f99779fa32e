// The draw of an element: four elements share a block of the generator.
fn draws(index: u32) -> Index {
    let block = philox(vec4u(index / 4u, batch.number, LAYER, PURPOSE), vec2u(batch.seed_low, batch.seed_high));
    return block[index % 4u];
}
