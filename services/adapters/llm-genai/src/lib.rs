//! hindcast-llm-genai.
