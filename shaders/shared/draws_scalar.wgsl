// The draw of an element: four elements share a block of the generator.
fn draws(index: u32) -> Index {
    let block = philox(vec4u(index / 4u, step.step, LAYER, PURPOSE), vec2u(step.seed_low, step.seed_high));
    return block[index % 4u];
}
