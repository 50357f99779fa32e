// What changes from one execution of the plan to the next.
struct StepParams {
    batch_size: u32,
    first: u32,
    slot: u32,
    learning_rate: f32,
}

@group(1) @binding(0) var<uniform> step: StepParams;
