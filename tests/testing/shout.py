"""A task type that no plugin brings."""

from __future__ import annotations

from core.sdk import RunContext, RunnableTask, TaskOutput, prop


class Shout(RunnableTask, type="shout.Shout", aliases=("com.acme.plugin.Shout",)):
    """Write a text in capitals."""

    text: str = prop("Text to shout.", examples=("hello",))
    times: int = prop("How often.", default=1)

    class Output(TaskOutput):
        text: str = prop("The text in capitals.")
        letter_count: int = prop("How many letters it has.")

    def run(self, ctx: RunContext) -> Output:
        loud = " ".join([self.text.upper()] * self.times)
        ctx.log.info(f"shouting {self.text}")
        ctx.metric("shouts", self.times)
        return self.Output(text=loud, letter_count=sum(map(str.isalpha, loud)))
