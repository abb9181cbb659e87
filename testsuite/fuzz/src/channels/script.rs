//! From bytes to a program: any bytes are one, and a byte changed changes one operation.

/// What a program is made of.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) capacity: usize,
    pub(super) permits: u32,
    /// Steps of the main task: it waits for so many turns, then does that to one of the tasks.
    pub(super) main: Vec<Step>,
    /// Steps of the others; the first has the receiver.
    pub(super) tasks: Vec<Vec<Step>>,
}

/// An operation, and a number for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) op: u8,
    pub(super) arg: u8,
}

/// The longest program: shorter than what a task may do in one poll before it has to yield, which
/// would look like waiting.
const STEPS: usize = 240;

pub(super) fn read(data: &[u8]) -> Script {
    let (head, rest) = data.split_at(data.len().min(4));
    let byte = |at: usize| head.get(at).copied().unwrap_or(0);
    let count = usize::from(byte(2) % 4) + 2;
    let mut script = Script {
        seed: u64::from(byte(0)) | u64::from(byte(3)) << 8,
        capacity: usize::from(byte(1) % 4) + 1,
        permits: u32::from(byte(1) / 4 % 4) + 1,
        main: Vec::new(),
        tasks: vec![Vec::new(); count],
    };
    let (steps, _) = rest.as_chunks::<3>();
    for &[who, op, arg] in steps.iter().take(STEPS) {
        let step = Step { op, arg };
        match usize::from(who) % (count + 1) {
            0 => script.main.push(step),
            task => script.tasks[task - 1].push(step),
        }
    }
    script
}
