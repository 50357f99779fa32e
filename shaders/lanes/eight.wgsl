// Eight floats that are loaded and stored at once: on drivers that compute on the processor the cost of an access hardly
// depends on its width.
struct Eight {
    low: vec4f,
    high: vec4f,
}

const EIGHTS = 8u;
