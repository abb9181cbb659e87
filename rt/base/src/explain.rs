//! Which region or call set each component of an effective budget (VAL-25).

use core::fmt;

use crate::budget::{Budget, BudgetComponent};
use crate::id::{RegionId, TaskId};

/// Who set a component.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SetBy {
    /// Nobody: the component is unlimited.
    Nobody,
    /// The budget of a region.
    Region(RegionId),
    /// The budget of a task.
    Task(TaskId),
    /// A call in the program: a timeout, a remote request.
    Call(&'static str),
}

impl fmt::Display for SetBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetBy::Nobody => f.write_str("nobody"),
            SetBy::Region(region) => write!(f, "{region}"),
            SetBy::Task(task) => write!(f, "{task}"),
            SetBy::Call(call) => f.write_str(call),
        }
    }
}

/// A budget that knows who set its components. Where an inner budget asks for no less than the
/// outer one gives, the outer one has set the component.
///
/// ```
/// use asr_base::{Budget, BudgetComponent, Explained, RegionId, SetBy};
///
/// let region = SetBy::Region(RegionId::new(0, 1));
/// let explained = Explained::UNLIMITED.meet(Budget::UNLIMITED.with_polls(50), region);
/// assert_eq!(explained.set_by(BudgetComponent::Polls), region);
/// assert_eq!(explained.set_by(BudgetComponent::Cost), SetBy::Nobody);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Explained {
    budget: Budget,
    set_by: [SetBy; 5],
}

impl Default for Explained {
    fn default() -> Explained {
        Explained::UNLIMITED
    }
}

impl Explained {
    /// No limit, set by nobody.
    pub const UNLIMITED: Explained = Explained {
        budget: Budget::UNLIMITED,
        set_by: [SetBy::Nobody; 5],
    };

    /// What remains within an inner budget, and who set it.
    #[must_use]
    pub fn meet(self, inner: Budget, by: SetBy) -> Explained {
        let (outer, met) = (self.budget, self.budget.meet(inner));
        let mut set_by = self.set_by;
        let changed = [
            met.deadline != outer.deadline,
            met.polls != outer.polls,
            met.cost != outer.cost,
            met.priority != outer.priority,
            met.trace != outer.trace,
        ];
        for (setter, changed) in set_by.iter_mut().zip(changed) {
            if changed {
                *setter = by;
            }
        }
        Explained {
            budget: met,
            set_by,
        }
    }

    /// The budget.
    pub const fn budget(&self) -> Budget {
        self.budget
    }

    /// Who set a component.
    pub const fn set_by(&self, component: BudgetComponent) -> SetBy {
        self.set_by[component as usize]
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (component, by) in BudgetComponent::ALL.into_iter().zip(self.set_by) {
            write!(f, "{component}: ")?;
            match (component, self.budget) {
                (_, _) if by == SetBy::Nobody => f.write_str("unlimited")?,
                (BudgetComponent::Deadline, budget) => write!(f, "{}", budget.deadline)?,
                (BudgetComponent::Polls, budget) => write!(f, "{}", budget.polls)?,
                (BudgetComponent::Cost, budget) => {
                    budget
                        .cost
                        .iter()
                        .try_for_each(|cost| write!(f, "{cost}"))?;
                }
                (BudgetComponent::Priority, budget) => write!(f, "{}", budget.priority)?,
                (BudgetComponent::Trace, budget) => budget.trace.iter().try_for_each(|trace| {
                    write!(f, "{:032x}-{:016x}", { trace.trace_id }, trace.span_id)
                })?,
            }
            writeln!(f, ", set by {by}")?;
        }
        Ok(())
    }
}
