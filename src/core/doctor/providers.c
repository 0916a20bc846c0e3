/* Which variables hold the key of which model: litellm's providers by prefix, then bare names
 * (docs.litellm.ai, "Setting API keys" and the providers' pages). */
#include <string.h>
#include "core/doctor/checks.h"

#define KEYS(...) { __VA_ARGS__, NULL }

static const struct provider {
	const char *prefix;
	const char *keys[4];
} providers[] = {
	{ "openrouter/", KEYS("OPENROUTER_API_KEY") },
	{ "zai/", KEYS("ZAI_API_KEY") },
	{ "anthropic/", KEYS("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEYS") },
	{ "openai/", KEYS("OPENAI_API_KEY") },
	{ "text-completion-openai/", KEYS("OPENAI_API_KEY") },
	{ "deepseek/", KEYS("DEEPSEEK_API_KEY") },
	{ "gemini/", KEYS("GEMINI_API_KEY", "GOOGLE_API_KEY") },
	{ "vertex_ai/",
	  KEYS("GOOGLE_APPLICATION_CREDENTIALS", "VERTEXAI_CREDENTIALS", "VERTEXAI_PROJECT") },
	{ "groq/", KEYS("GROQ_API_KEY") },
	{ "mistral/", KEYS("MISTRAL_API_KEY") },
	{ "codestral/", KEYS("CODESTRAL_API_KEY") },
	{ "together_ai/", KEYS("TOGETHERAI_API_KEY", "TOGETHER_API_KEY") },
	{ "fireworks_ai/", KEYS("FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY") },
	{ "xai/", KEYS("XAI_API_KEY") },
	{ "cohere/", KEYS("COHERE_API_KEY", "CO_API_KEY") },
	{ "azure/", KEYS("AZURE_API_KEY", "AZURE_AD_TOKEN") },
	{ "azure_ai/", KEYS("AZURE_AI_API_KEY") },
	{ "bedrock/", KEYS("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK") },
	{ "sagemaker/", KEYS("AWS_ACCESS_KEY_ID", "AWS_PROFILE") },
	{ "dashscope/", KEYS("DASHSCOPE_API_KEY") },
	{ "moonshot/", KEYS("MOONSHOT_API_KEY") },
	{ "minimax/", KEYS("MINIMAX_API_KEY") },
	{ "perplexity/", KEYS("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY") },
	{ "nvidia_nim/", KEYS("NVIDIA_NIM_API_KEY") },
	{ "huggingface/", KEYS("HF_TOKEN", "HUGGINGFACE_API_KEY") },
	{ "replicate/", KEYS("REPLICATE_API_KEY") },
	{ "cerebras/", KEYS("CEREBRAS_API_KEY") },
	{ "sambanova/", KEYS("SAMBANOVA_API_KEY") },
	{ "deepinfra/", KEYS("DEEPINFRA_API_KEY") },
	{ "databricks/", KEYS("DATABRICKS_API_KEY") },
	{ "nebius/", KEYS("NEBIUS_API_KEY") },
	{ "novita/", KEYS("NOVITA_API_KEY") },
	{ "volcengine/", KEYS("VOLCENGINE_API_KEY", "ARK_API_KEY") },
	{ "github/", KEYS("GITHUB_API_KEY") },
	{ "ollama/", { NULL } },
	{ "ollama_chat/", { NULL } },
	{ "vllm/", { NULL } },
	{ "hosted_vllm/", { NULL } },
	{ "lm_studio/", { NULL } },
	{ "llamafile/", { NULL } },
};

/* Names that litellm knows without a prefix. */
static const struct provider bare[] = {
	{ "gpt-", KEYS("OPENAI_API_KEY") },	 { "chatgpt-", KEYS("OPENAI_API_KEY") },
	{ "o1", KEYS("OPENAI_API_KEY") },	 { "o3", KEYS("OPENAI_API_KEY") },
	{ "o4", KEYS("OPENAI_API_KEY") },
	{ "claude-", KEYS("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEYS") },
	{ "deepseek-", KEYS("DEEPSEEK_API_KEY") },
	{ "gemini-", KEYS("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS") },
	{ "grok-", KEYS("XAI_API_KEY") },
};

static const struct provider classes[] = {
	{ "openrouter", KEYS("OPENROUTER_API_KEY") },
	{ "portkey", KEYS("PORTKEY_API_KEY") },
	{ "requesty", KEYS("REQUESTY_API_KEY") },
	{ "anthropic", KEYS("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEYS") },
	{ "deterministic", { NULL } },
};

static const char *const *find(const struct provider *p, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (tg_starts_with(name, p[i].prefix))
			return p[i].keys;
	return NULL;
}

#define FIND(table, name) find(table, sizeof(table) / sizeof *(table), name)

const char *const *tg_model_keys(const char *model, const char *model_class)
{
	if (model_class && *model_class && !tg_starts_with(model_class, "litellm"))
		return FIND(classes, model_class);
	if (!model)
		return NULL;
	return strchr(model, '/') ? FIND(providers, model) : FIND(bare, model);
}
