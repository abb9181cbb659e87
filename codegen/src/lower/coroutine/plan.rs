//! Where each asynchronous function may suspend, and the layout of its frame.
//!
//! header, one word per parameter, spilled locals, slots of AIR, shared area. A parameter is
//! spilled to its own word. Two other locals share a word unless both live across one suspension.
//! Slots of AIR stand in the frame, since their addresses may live across a suspension (rule
//! ABI-27); what is in them is unknown, so each of their words counts as a reference.

use std::collections::HashMap;

use asr_abi::Frame;

use super::super::facts::reverse_postorder;
use super::liveness::Liveness;
use crate::air::{BlockId, FuncId, Function, LocalId, Module, Op, Type, kinds_of, kinds_of_term};
use crate::pass::{Components, components};
use crate::{Error, Rows};

/// Bytes of the header.
const HEADER: u32 = size_of::<Frame>() as u32;
/// Most bytes of parameters and spilled values.
const FRAME_MAX: u32 = 64 << 10;
/// Alignment of a frame and of its shared area.
const ALIGN: u32 = 16;
/// A callee whose frame is larger is not embedded.
const EMBEDDED: u32 = 512;

/// One place where a function may suspend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Point {
    /// Index of its site in the unit.
    pub(crate) site: u32,
    /// The locals that live across it.
    pub(super) live: Vec<LocalId>,
    /// Offsets of the words that may hold references to dynamic values.
    pub(crate) refs: Vec<u32>,
    /// Offset of the op slot.
    pub(crate) slot: Option<u32>,
    /// Offset of the address of the child on the heap.
    pub(crate) child: Option<u32>,
}

/// The frame of one asynchronous function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Plan {
    /// Bytes.
    pub(crate) size: u32,
    /// Where it may suspend; state 1 is the first.
    pub(crate) points: Vec<Point>,
    /// Offset of the shared area.
    pub(super) area: u32,
    /// Offset of each local that is a parameter or lives across a suspension.
    pub(super) homes: Vec<Option<u32>>,
    /// Offset of each slot of AIR.
    pub(super) slots: Vec<u32>,
    /// The point of an instruction.
    at: HashMap<(BlockId, usize), usize>,
    /// The callees whose frames are embedded.
    embedded: Vec<FuncId>,
}

impl Plan {
    /// The index of the suspend point of an instruction, if it may suspend.
    pub(in super::super) fn point(&self, block: BlockId, inst: usize) -> Option<usize> {
        self.at.get(&(block, inst)).copied()
    }

    /// Whether the frame of this callee is a part of this one.
    pub(super) fn embeds(&self, callee: FuncId) -> bool {
        self.embedded.contains(&callee)
    }
}

/// The plans of the asynchronous functions, by number.
///
/// # Errors
/// [`Error::UnknownIntrinsic`].
pub(in super::super) fn plans(
    module: &Module,
    rows: &Rows,
    first_site: &[u32],
) -> Result<Vec<Option<Plan>>, Error> {
    let mut plans = vec![None; module.funcs.len()];
    if module.funcs.iter().all(|func| !func.is_async) {
        return Ok(plans);
    }
    let awaits: Vec<Vec<usize>> = module.funcs.iter().map(awaited).collect();
    let awaits = components(&awaits);
    for &id in &awaits.order {
        let func = &module.funcs[id.index()];
        if func.is_async {
            let planner = Planner {
                rows,
                awaits: &awaits,
                done: &plans,
            };
            let plan = planner.plan(func, id, first_site[id.index()])?;
            plans[id.index()] = Some(plan);
        }
    }
    Ok(plans)
}

/// The functions that this one awaits by name.
fn awaited(func: &Function) -> Vec<usize> {
    let mut list = Vec::new();
    for inst in func.blocks.iter().flat_map(|block| &block.insts) {
        if let Op::Await { func, .. } = inst.op {
            list.push(func.index());
        }
    }
    list.sort_unstable();
    list.dedup();
    list
}

/// What an instruction needs of the shared area.
enum Needs {
    /// The frame of this function.
    Frame(FuncId, u32),
    /// The address of a child on the heap.
    Heap,
    /// An op slot.
    Slot(u32),
    /// Nothing.
    Nothing,
}

impl Needs {
    fn bytes(&self) -> u32 {
        match *self {
            Needs::Frame(_, bytes) | Needs::Slot(bytes) => bytes,
            Needs::Heap => 8,
            Needs::Nothing => 0,
        }
    }
}

struct Planner<'a> {
    rows: &'a Rows,
    awaits: &'a Components,
    /// The plans so far: those of all functions that this one awaits, cycles aside.
    done: &'a [Option<Plan>],
}

impl Planner<'_> {
    /// What an instruction needs, and whether it may suspend; none if it can do neither.
    fn needs(&self, op: &Op, caller: FuncId) -> Result<Option<(Needs, bool)>, Error> {
        Ok(match op {
            Op::Probe { .. } => Some((Needs::Nothing, true)),
            Op::AwaitIndirect { .. } => Some((Needs::Heap, true)),
            Op::Await { func, .. } => {
                let cycle = self.awaits.of[func.index()] == self.awaits.of[caller.index()];
                let callee = self.done[func.index()].as_ref().filter(|_| !cycle);
                // One that never suspends answers at once.
                let suspends = callee.is_none_or(|plan| !plan.points.is_empty());
                let needs = match callee {
                    Some(plan) if plan.size <= EMBEDDED => Needs::Frame(*func, plan.size),
                    _ => Needs::Heap,
                };
                Some((needs, suspends))
            }
            Op::Intrinsic { row, .. } => {
                let found = self.rows.get(row);
                let row = found.ok_or_else(|| Error::UnknownIntrinsic(row.clone()))?;
                row.waits().then_some((Needs::Slot(row.slot), true))
            }
            _ => None,
        })
    }

    fn plan(&self, func: &Function, id: FuncId, first_site: u32) -> Result<Plan, Error> {
        let order = reverse_postorder(func);
        let mut reached = order.clone();
        reached.sort_unstable();
        let liveness = Liveness::of(func, &order);
        let sites = sites(func, first_site);
        let mut plan = Plan::default();
        let mut area = 0;
        let mut needs = Vec::new();
        for block in reached {
            let mut found = Vec::new();
            let mut refused = None;
            liveness.across(func, block, |n, inst, live| {
                match self.needs(&inst.op, id) {
                    Ok(Some((needs, suspends))) => {
                        found.push((n, needs, suspends, live.iter().collect::<Vec<_>>()));
                    }
                    Ok(None) => {}
                    Err(error) => refused = Some(error),
                }
            });
            if let Some(error) = refused {
                return Err(error);
            }
            for (n, need, suspends, live) in found.into_iter().rev() {
                area = area.max(need.bytes());
                if let Needs::Frame(callee, _) = need
                    && !plan.embeds(callee)
                {
                    plan.embedded.push(callee);
                }
                if suspends {
                    plan.at.insert((block, n), plan.points.len());
                    plan.points.push(Point {
                        site: sites[block.index()][n],
                        live,
                        refs: Vec::new(),
                        slot: None,
                        child: None,
                    });
                    needs.push(need);
                }
            }
        }
        plan.lay_out(func, area)?;
        for (point, need) in plan.points.iter_mut().zip(needs) {
            match need {
                Needs::Slot(_) => point.slot = Some(plan.area),
                Needs::Heap => point.child = Some(plan.area),
                Needs::Frame(..) | Needs::Nothing => {}
            }
        }
        Ok(plan)
    }
}

impl Plan {
    /// Gives everything its offset.
    fn lay_out(&mut self, func: &Function, area: u32) -> Result<(), Error> {
        let mut size = HEADER + 8 * func.params;
        self.homes = vec![None; func.locals.len()];
        for n in 0..func.params {
            self.homes[n as usize] = Some(HEADER + 8 * n);
        }
        // What lives at one place needs as many words. Slots and the shared area are bounded by the
        // verifier and by their classes.
        let most = self.points.iter().map(|point| point.live.len());
        if most.max().unwrap_or(0) as u32 > (FRAME_MAX - size) / 8 {
            let message = format!(
                "a frame of more than {FRAME_MAX} bytes: `{}` has too many values that live across \
                 a suspension",
                func.name
            );
            return Err(Error::Unsupported(message));
        }
        let spills = words(func, &self.points);
        for (local, word) in spills.iter().enumerate() {
            if let Some(word) = word {
                self.homes[local] = Some(size + 8 * word);
            }
        }
        size += 8 * spills.iter().flatten().max().map_or(0, |word| word + 1);
        let mut slot_words = Vec::new();
        for slot in &func.slots {
            size = size.next_multiple_of(slot.align.clamp(1, ALIGN));
            self.slots.push(size);
            slot_words.extend(
                (size.next_multiple_of(8)..)
                    .step_by(8)
                    .take_while(|at| at + 8 <= size + slot.size),
            );
            size += slot.size;
        }
        self.area = size.next_multiple_of(ALIGN);
        self.size = match area {
            0 => self.area,
            area => (self.area + area).next_multiple_of(ALIGN),
        };
        for point in &mut self.points {
            let live = point.live.iter();
            let values = live.filter(|local| func.locals[local.index()].ty == Type::Value);
            let values = values.filter_map(|local| self.homes[local.index()]);
            point.refs = values.chain(slot_words.iter().copied()).collect();
            point.refs.sort_unstable();
        }
        Ok(())
    }
}

/// The spill word of each local that is no parameter and lives across a suspension.
fn words(func: &Function, points: &[Point]) -> Vec<Option<u32>> {
    let mut words: Vec<Option<u32>> = vec![None; func.locals.len()];
    let mut across: Vec<Vec<usize>> = vec![Vec::new(); func.locals.len()];
    for (n, point) in points.iter().enumerate() {
        point
            .live
            .iter()
            .for_each(|local| across[local.index()].push(n));
    }
    // The words in use at each point, as a growing bit set.
    let mut used: Vec<Vec<bool>> = vec![Vec::new(); points.len()];
    for (local, points) in across.iter().enumerate() {
        if points.is_empty() || local < func.params as usize {
            continue;
        }
        let free = |&word: &usize| {
            points
                .iter()
                .all(|&n| !used[n].get(word).is_some_and(|&u| u))
        };
        let word = (0..).find(free).unwrap_or_default();
        for &n in points {
            let used = &mut used[n];
            used.resize(used.len().max(word + 1), false);
            used[word] = true;
        }
        words[local] = Some(word as u32);
    }
    words
}

/// The index of the first site of each instruction, by block.
fn sites(func: &Function, mut next: u32) -> Vec<Vec<u32>> {
    let mut out = Vec::with_capacity(func.blocks.len());
    for block in &func.blocks {
        let mut list = Vec::with_capacity(block.insts.len());
        for inst in &block.insts {
            list.push(next);
            next += kinds_of(&inst.op).iter().flatten().count() as u32;
        }
        next += kinds_of_term(&block.term).iter().flatten().count() as u32;
        out.push(list);
    }
    out
}
