"""The names of OpenTelemetry's conventions for generative AI that a run's spans use, and those of our own.

A test compares them with the package `opentelemetry-semantic-conventions`, which `tutelage[otel]` installs.
"""

from __future__ import annotations

from typing import Final

GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
GEN_AI_USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
GEN_AI_USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
GEN_AI_AGENT_NAME: Final = "gen_ai.agent.name"
GEN_AI_WORKFLOW_NAME: Final = "gen_ai.workflow.name"
GEN_AI_OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
GEN_AI_EVALUATION_NAME: Final = "gen_ai.evaluation.name"
GEN_AI_EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
GEN_AI_EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

CHAT: Final = "chat"
INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"

EVALUATION: Final = "gen_ai.evaluation.result"
"""The event of a verdict."""

PROVIDERS: Final = {
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
}
"""What LangChain calls a provider, and what the conventions do, where the two differ."""

OPENAI: Final = "openai"
"""The provider where only the server is known: it speaks OpenAI's protocol."""

CYCLE: Final = "tutelage.cycle"
NODE: Final = "tutelage.node"
PROBLEM: Final = "tutelage.problem.id"
QUESTION: Final = "tutelage.problem.question"
DRAFT: Final = "tutelage.draft"
RATIONALE: Final = "tutelage.rationale.id"
RATIONALE_TEXT: Final = "tutelage.rationale.text"
REVISION: Final = "tutelage.rationale.revision"
PROMPT_VERSION: Final = "tutelage.prompt.version"
USD: Final = "tutelage.cost.usd"
CALLS: Final = "tutelage.calls"
CACHED: Final = "tutelage.calls.cached"
STAGE: Final = "tutelage.stage"
STEPS: Final = "tutelage.stage.steps"
TOKENS: Final = "tutelage.stage.tokens"
LOSS: Final = "tutelage.stage.loss"
STATUS: Final = "tutelage.status"
STOP_REASON: Final = "tutelage.stop_reason"
ACCURACY: Final = "tutelage.accuracy"
"""Followed by a dot and the split."""
