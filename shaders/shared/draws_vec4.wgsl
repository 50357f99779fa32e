// The draws of four elements: a block of the generator.
fn draws(index: u32) -> Index {
    return philox(vec4u(index, step.step, LAYER, PURPOSE), vec2u(step.seed_low, step.seed_high));
}
