"""Models and vendors that a text may claim to be or to come from. Names of others pass: the lists are ours to keep.

Left out are names that are words people say of themselves ("I am a writer"), but for what makes them a model's.
"""

MODELS = """
ChatGPT|GPT|GPT-2|GPT-3|GPT-4|GPT-4o|GPT-5|gpt-oss|OpenAI o1|OpenAI o3|o1|o3-mini|o4-mini|Copilot|Bing Chat
Cortana|Claude|Gemini|Gemma|Google Bard|LaMDA|PaLM|PaLM 2|Flan-T5|T5|Llama|Llama 2|Llama 3|Llama 4|Code Llama
Meta AI|Vicuna|Guanaco|Mistral|Mixtral|Ministral|Codestral|Pixtral|Magistral|Devstral|Mathstral|Le Chat|Qwen
QwQ|QVQ|Tongyi Qianwen|Tongyi|通义千问|通义|千问|DeepSeek|DeepThink|Grok|Nemotron|Minitron|Amazon Nova
Nova Pro|Nova Lite|Nova Micro|Nova Premier|Amazon Titan|Titan Text|Amazon Q|Alexa|Siri|IBM Granite|Granite 3
Granite 4|Phi-1|Phi-2|Phi-3|Phi-4|WizardLM|WizardCoder|Command R|Command A|Aya Expanse|Aya 23|ERNIE|ERNIE Bot
文心一言|文心|Wenxin|Hunyuan|混元|Doubao|豆包|Seed-OSS|Kimi|GLM|GLM-4|ChatGLM|智谱清言|CogVLM|Yi-34B|Yi-6B
MiniMax|Hailuo|海螺|abab|Baichuan|百川|InternLM|书生|书生浦语|MiniCPM|SparkDesk|讯飞星火|星火|Pangu|盘古
SenseNova|日日新|Skywork|天工|TeleChat|XVERSE|Step-1|Step-2|StepFun|跃问|Falcon LLM|Falcon 7B|Falcon 40B
Falcon 180B|Falcon 3|Falcon H1|Jais|ALLaM|علام|K2 Think|EXAONE|HyperCLOVA|CLOVA X|SOLAR 10.7B|Solar Mini
Solar Pro|Kanana|GigaChat|ГигаЧат|YandexGPT|ЯндексGPT|Kandinsky|Luminous Base|Luminous Extended
Luminous Supreme|Pharia|Teuken|EuroLLM|Apertus|Sarvam-1|SEA-LION|PLaMo|ELYZA|Swallow|BLOOM|BLOOMZ|Zephyr 7B
Zephyr|SmolLM|SmolVLM|StarCoder|StarChat|HuggingChat|OpenChat|OpenHermes|Nous Hermes|Hermes 2|Hermes 3
Hermes 4|OLMo|OLMoE|Molmo|Tülu|Palmyra|Jamba|Jurassic-2|Jurassic-1|J2 Ultra|Reka Core|Reka Flash|Reka Edge
Inflection-1|Inflection-2|Snowflake Arctic|Arctic Instruct|DBRX|Dolly v2|Dolly 2.0|MPT-7B|MPT-30B|StableLM
Stable Beluga|StableVicuna|Pythia 12B|Pythia|GPT-NeoX|GPT-J|GPT-Neo|LFM2|LFM-40B|OpenELM|Replika|Cerebras-GPT
RWKV|XGen|StripedHyena|Athene|Starling-LM|Perplexity AI|MiMo|LongCat|Open Assistant|OpenAssistant|Alpaca 7B
Orca 2|Koala 13B|Sonar Large|Manus AI|You.com|Poe
"""

VENDORS = """
OpenAI|Open AI|ОпенЭйАй|オープンAI|أوبن إيه آي|Anthropic|アンソロピック|أنثروبيك|Google|Google DeepMind
DeepMind|谷歌|グーグル|Гугл|غوغل|جوجل|Meta|Meta AI|Facebook|ميتا|Microsoft|Microsoft Research|微软
マイクロソフト|Майкрософт|مايكروسوفت|Mistral AI|DeepSeek|深度求索|Deep Seek|xAI|x.ai|NVIDIA|英伟达|Amazon
Amazon Web Services|AWS|亚马逊|أمازون|IBM|IBM Research|Apple|苹果公司|Alibaba|Alibaba Cloud|阿里巴巴|阿里云
阿里|达摩院|DAMO Academy|Tencent|腾讯|ByteDance|字节跳动|字节|Baidu|百度|Huawei|华为|Xiaomi|小米|Zhipu
Zhipu AI|智谱|智谱AI|Z.ai|Moonshot AI|月之暗面|MiniMax|01.AI|零一万物|Baichuan|百川智能|iFlytek|科大讯飞
SenseTime|商汤|商汤科技|StepFun|阶跃星辰|Shanghai AI Laboratory|Shanghai AI Lab|上海人工智能实验室|OpenBMB
面壁智能|Cohere|Cohere For AI|AI21|AI21 Labs|Hugging Face|BigScience|BigCode|EleutherAI|Eleuther AI
Stability AI|Databricks|MosaicML|Together AI|Nous Research|Allen Institute for AI|Allen Institute|AI2|AllenAI
Technology Innovation Institute|TII|Aleph Alpha|Reka|Reka AI|Inflection AI|Upstage|Upstage AI|LG
LG AI Research|LG AI|Naver|NAVER Cloud|네이버|Kakao|SK Telecom|Samsung|Yandex|Яндекс|Sber|Sberbank|Сбер
Сбербанк|SDAIA|سدايا|G42|Inception|MBZUAI|Snowflake|Salesforce|ServiceNow|Oracle|Writer|Perplexity|Liquid AI
LiquidAI|Character.AI|Sakana AI|Preferred Networks|rinna|Swiss AI|Silo AI|LightOn|Kyutai|H2O.ai|LMSYS|Nomic AI
Arcee AI|Cerebras|Groq|Adept|Sarvam AI|Krutrim|Deep Cogito|Prime Intellect|Rakuten|楽天|SoftBank|Tesla
Nexusflow|Skywork|Kunlun|昆仑万维|Teknium|Ai2
"""


def listed(names: str) -> list[str]:
    return [name for line in names.split("\n") for name in line.split("|") if name]
