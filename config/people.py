"""The preferences about people: what those may do whom the house cannot tell, and how long leave can be given."""

from config.preference import Preference, declare

ROLES = ("administrator", "adult", "teenager", "child", "guest")

PEOPLE_LOCAL_ROLE = declare(
    Preference(
        "people.local_role",
        "administrator",
        "Papel de quem escreve nesta máquina (linha de comando, HTTP local)",
        choices=ROLES,
    )
)
PEOPLE_UNKNOWN_ROLE = declare(
    Preference(
        "people.unknown_role",
        "auto",
        "Papel de uma voz desconhecida; auto é adulto até alguém ensinar a própria voz, e visita daí em diante",
        choices=("auto", *ROLES),
    )
)
PEOPLE_APPROVAL_S = declare(
    Preference("people.approval_s", 120, "Por quanto tempo se pode responder a um pedido de permissão (s)",
               minimum=10, maximum=3600)
)  # fmt: skip
