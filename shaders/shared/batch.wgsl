// What changes from one batch to the next.
struct BatchParams {
    batch_size: u32,
    first: u32,
    slot: u32,
    learning_rate: f32,
    correction: f32,
    training: u32,
    number: u32,
    position: u32,
    seed_low: u32,
    seed_high: u32,
    guarded: u32,
    divisor: u32,
}

@group(1) @binding(0) var<uniform> batch: BatchParams;
